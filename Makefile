# Every target installs what it needs by itself, into .venv, from the lock file.
.DEFAULT_GOAL := help
PYTHON ?= python3
UV_VERSION := 0.13.8
BIN := .venv/bin
# Bytecode is kept beside what is installed: the checkout stays clean, and no process compiles what another one has,
# not even where Python has been told to write none.
export PYTHONPYCACHEPREFIX := $(CURDIR)/.venv/bytecode
unexport PYTHONDONTWRITEBYTECODE
STAMP := .venv/.installed
MANAGE := $(BIN)/python manage.py
# The checks of a production set-up run under made-up values: nothing here opens anything.
PRODUCTION := JITPORTAL_MODE=production PORTAL_URL=https://access.example.com ALLOWED_HOSTS=access.example.com \
  SECRET_KEY=only-for-make-check-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEF DATABASE_URL=postgres://nobody@127.0.0.1:1/none \
  REDIS_URL=redis://127.0.0.1:1/0 ENTRA_TENANT_ID=00000000-0000-4000-8000-000000000001 \
  ENTRA_CLIENT_ID=00000000-0000-4000-8000-000000000002 ENTRA_CLIENT_SECRET=none \
  ENTRA_ADMIN_GROUP_ID=00000000-0000-4000-8000-000000000003 ENTRA_COMPLIANCE_GROUP_ID=00000000-0000-4000-8000-000000000004 \
  AWS_REGION=eu-central-1 IDENTITY_CENTER_INSTANCE_ARN=arn:aws:sso:::instance/ssoins-0123456789abcdef \
  IDENTITY_STORE_ID=d-0123456789 AUDIT_SIGNING_KEY=0000000000000000000000000000000000000000000000000000000000000001

.PHONY: help install demo demo-reset test chaos check fix bench screenshots

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP) ## make .venv and install from the lock file

$(STAMP): uv.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "jitportal needs Python 3.11 or newer; this is %d.%d. Name another: make PYTHON=python3.12" % sys.version_info[:2])'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@UV_PROJECT_ENVIRONMENT=.venv $(BIN)/uv sync --frozen --quiet --inexact
	@touch $@

demo: $(STAMP) ## run the portal with a company in it, on http://127.0.0.1:8000 (PORT= to change), until Ctrl-C
	@exec $(MANAGE) demo

demo-reset: $(STAMP) ## throw the demo's data away and start over next time
	@$(MANAGE) demo_reset

test: $(STAMP) ## run the whole suite (REQUIRE_SERVICES=1: fail if PostgreSQL, Redis or Chromium is missing)
	@$(BIN)/python -m tests.run $(ARGS)

chaos: $(STAMP) ## drive the portal by a model (CHAOS_STEPS=), then kill its processes (CHAOS_MINUTES=); CHAOS_SEED=, CHAOS_DATABASE_URL=
	@$(BIN)/python -m tests.chaos

check: $(STAMP) ## check style, types, imports, migrations, documents and production settings; changes nothing
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy .
	@$(BIN)/lint-imports --no-cache
	@$(MANAGE) makemigrations --check --dry-run
	@$(MANAGE) state_diagram --check
	@$(PRODUCTION) $(MANAGE) check --deploy --fail-level WARNING
	@echo "make check: all is well"

fix: $(STAMP) ## format, and mend what can be mended by machine
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .
	@$(MANAGE) state_diagram

bench: $(STAMP) ## measure, and print ratios that another machine can repeat
	@$(BIN)/python -m tests.bench

screenshots: $(STAMP) ## take the README's pictures from a running demo, with headless Chromium
	@$(BIN)/python -m tests.screenshots
