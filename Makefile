.DEFAULT_GOAL := help
.PHONY: help demo up test check dashboard oracle bench clean

PYTHON_BIN := .venv/bin/python
DEMO_OPTIONS = $(if $(FOR),--for $(FOR)) $(if $(FEED),--feed $(FEED)) $(if $(SPEED),--speed $(SPEED)) \
	$(if $(VENUES),--venues $(VENUES)) $(if $(OUTAGE),--outage $(OUTAGE)) $(if $(SERVICES),--services $(SERVICES))

##@ Run
demo: ## Trade on the mock exchange: everything, one command. FOR=60 VENUES=all OUTAGE=binance FEED=path.parquet SPEED=60 SERVICES=real
	@docker/environment requirements.txt
	@$(PYTHON_BIN) manage.py demo $(DEMO_OPTIONS)

up: ## Run every process against the servers and venues you configured (.env)
	@docker/environment requirements.txt
	@$(PYTHON_BIN) manage.py up

##@ Work on it
test: ## Run every test, servers and browser included. T=tests/unit narrows
	@docker/environment requirements-dev.txt
	@docker/browser
	@docker/proxy
	@docker/metrics
	@docker/services run -- $(PYTHON_BIN) -m pytest -n 3 --dist loadscope --no-loadscope-reorder $(T)

check: ## Lint, format, types, layers, docstrings, Django's own checks
	@docker/environment requirements-dev.txt
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo
	.venv/bin/interrogate --quiet moondev apps celeryconfig.py manage.py
	.venv/bin/python manage.py check

dashboard: ## Build the dashboard's bundle from its sources (needs Node.js 20)
	@docker/dashboard build

oracle: ## Ask other people's engines afresh, hold them to their stored answers. STORE=1 stores, ASK=cross narrows
	@docker/environment requirements-dev.txt
	@docker/oracle-environment
	@$(PYTHON_BIN) -m tests.oracle $(if $(STORE),--store) $(if $(ASK),--only $(ASK))

bench: ## Measure, print a table, write bench-results/*.json
	@docker/environment requirements-dev.txt
	@docker/services run -- $(PYTHON_BIN) -m tests.bench

clean: ## Stop the private servers, remove what can be made again
	@docker/services stop
	rm -rf .run .services .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache staticfiles
	find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +

help:
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
