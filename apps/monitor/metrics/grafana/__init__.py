"""The dashboards as they are meant; `manage.py metric_docs --write` writes them as Grafana reads them."""
