/* What the pages gain from a script: the reader's time zone, a running countdown, a filter over long lists.
   Nothing here is needed: every page says and does the same without it. Words as in auditlog/moments.py. */
(() => {
  "use strict";

  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const formats = {
    exact: { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" },
    day: { day: "numeric", month: "short", year: "numeric" },
  };
  formats.seconds = { ...formats.exact, second: "2-digit" };
  // "Fri 20 Nov 2026, 14:05 CET"; built from parts, because browsers differ in their commas.
  const write = (moment, format) => {
    const made = new Intl.DateTimeFormat("en-GB", { ...formats[format], hourCycle: "h23" }).formatToParts(moment);
    const part = Object.fromEntries(made.map(({ type, value }) => [type, value]));
    const day = `${part.day} ${part.month} ${part.year}`;
    if (format === "day") return day;
    const time = [part.hour, part.minute, part.second].filter(Boolean).join(":");
    return `${part.weekday} ${day}, ${time} ${part.timeZoneName}`;
  };

  const count = (number, unit) => {
    const whole = Math.max(1, Math.floor(number + 0.5));
    return `${whole} ${unit}${whole === 1 ? "" : "s"}`;
  };

  const relative = (moment) => {
    const seconds = (moment - Date.now()) / 1000;
    const distance = Math.abs(seconds);
    if (distance < 45) return seconds <= 0 ? "just now" : "in a moment";
    if (distance >= 30 * 86400) return `on ${write(moment, "day")}`;
    let words = count(distance / 86400, "day");
    if (distance < 59.5 * 60) words = count(distance / 60, "minute");
    else if (distance < 23.5 * 3600) words = count(distance / 3600, "hour");
    return seconds > 0 ? `in ${words}` : `${words} ago`;
  };

  const remaining = (moment) => {
    const seconds = Math.trunc((moment - Date.now()) / 1000);
    if (seconds <= 0) return "no time";
    const two = (number) => String(number).padStart(2, "0");
    const days = Math.floor(seconds / 86400);
    const hours = Math.floor((seconds % 86400) / 3600);
    const minutes = Math.floor((seconds % 3600) / 60);
    if (days) return `${days} day${days === 1 ? "" : "s"} ${hours} h`;
    if (hours) return `${hours} h ${two(minutes)} min`;
    if (minutes) return `${minutes} min ${two(seconds % 60)} s`;
    return `${seconds} s`;
  };

  const set = (element, text, title) => {
    if (element.textContent !== text) element.textContent = text;
    if (element.title !== title) element.title = title;
  };

  const tell = () => {
    for (const element of document.querySelectorAll("time[data-time]")) {
      const moment = new Date(element.dateTime);
      const kind = element.dataset.time;
      if (kind === "relative") set(element, relative(moment), write(moment, "seconds"));
      else if (kind === "left") set(element, remaining(moment), write(moment, "seconds"));
      else set(element, write(moment, kind), relative(moment));
    }
    for (const bar of document.querySelectorAll("progress[data-ends]")) {
      bar.value = Math.max(0, (new Date(bar.dataset.ends) - Date.now()) / 1000);
    }
  };

  const note = document.querySelector("[data-zone-note]");
  if (note) note.textContent = `All times are in your zone, ${zone}.`;

  // A start that was typed without a script, or on another machine, stays in the zone it was typed in.
  for (const field of document.querySelectorAll("input[data-zone]")) {
    const start = field.form.elements.namedItem("start");
    if (start && start.value) continue;
    field.value = zone;
    for (const name of document.querySelectorAll("[data-zone-name]")) name.textContent = `your zone, ${zone}`;
  }

  // Typing beside a radio button chooses it; choosing another one takes back what was typed.
  for (const field of document.querySelectorAll("input[data-selects]")) {
    const radio = document.getElementById(field.dataset.selects);
    field.addEventListener("input", () => { radio.checked = true; });
    for (const other of document.querySelectorAll(`input[type="radio"][name="${radio.name}"]`)) {
      other.addEventListener("change", () => {
        if (radio.checked) field.focus();
        else field.value = "";
      });
    }
  }

  // The way out of a question, which without a script shows the page anew.
  document.addEventListener("click", (event) => {
    const question = event.target.closest("a[data-closes]")?.closest("details");
    if (!question) return;
    event.preventDefault();
    question.open = false;
    question.querySelector("summary").focus();
  });

  for (const field of document.querySelectorAll("input[data-filters]")) {
    const items = [...document.getElementById(field.dataset.filters).children];
    field.hidden = false;
    field.addEventListener("input", () => {
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      for (const item of items) {
        const text = item.textContent.toLowerCase();
        item.hidden = !item.querySelector("input").checked && !words.every((word) => text.includes(word));
      }
    });
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") event.preventDefault();
    });
  }

  // A change of state is said aloud once; the rest of a page that renews itself stays quiet.
  let said = document.querySelector("[data-status]")?.dataset.status;
  document.addEventListener("htmx:afterSettle", () => {
    tell();
    const status = document.querySelector("[data-status]")?.dataset.status;
    if (!status || status === said) return;
    said = status;
    const spoken = document.querySelector("[data-spoken]");
    if (spoken) spoken.textContent = `The request is now: ${status}`;
  });

  tell();
  setInterval(tell, 1000);
})();
