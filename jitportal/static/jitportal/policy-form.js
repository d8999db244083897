/* The form of an access policy shows what its choices leave to be said. Without this script it shows all of it.
   What is not shown is not sent, so that it is empty once it is saved; until then it keeps what was typed. */
(() => {
  "use strict";

  // Each field with the one that decides about it, and the choices that need it; none named: all but the empty one.
  const DECIDED_BY = {
    automatic_up_to: ["automatic_approval", ["up_to", "on_call"]],
    on_call_schedule: ["automatic_approval", ["on_call"]],
    on_call_group: ["automatic_approval", ["on_call"]],
    step_up_for: ["step_up_context"],
    step_up_longest_age: ["step_up_context"],
  };
  const control = (name) => document.getElementById(`id_${name}`);

  const show = () => {
    for (const [name, [decider, choices]] of Object.entries(DECIDED_BY)) {
      const field = control(name);
      const chosen = control(decider)?.value;
      if (!field || chosen === undefined) continue;
      const isNeeded = choices ? choices.includes(chosen) : chosen !== "";
      field.disabled = !isNeeded;
      field.closest(".form-row").classList.toggle("hidden", !isNeeded);
    }
  };

  document.addEventListener("change", show);
  // Also of a page that the browser kept, with what was chosen there.
  window.addEventListener("pageshow", show);
  document.addEventListener("DOMContentLoaded", show);
})();
