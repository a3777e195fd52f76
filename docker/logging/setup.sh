#!/bin/sh
# Give Elasticsearch our policy and template, and Kibana our dashboard. Run it again after an upgrade: it replaces them.
# Usage: ELASTICSEARCH_URL= KIBANA_URL= ELASTICSEARCH_USER= ELASTICSEARCH_PASSWORD= docker/logging/setup.sh
set -eu
cd "$(dirname "$0")"
elasticsearch=${ELASTICSEARCH_URL:-http://elasticsearch:9200}
kibana=${KIBANA_URL:-http://kibana:5601}
user=${ELASTICSEARCH_USER:-elastic}

# The password goes in by standard input: a command line is everybody's to read.
ask() {
    printf 'user = "%s:%s"\n' "$user" "${ELASTICSEARCH_PASSWORD:-}" |
        curl --config - --fail-with-body --silent --show-error --retry 60 --retry-delay 2 --retry-all-errors \
            --max-time 30 "$@"
    echo
}

ask -X PUT "$elasticsearch/_ilm/policy/moondev-logs" -H 'Content-Type: application/json' --data-binary @lifecycle.json
ask -X PUT "$elasticsearch/_index_template/moondev-logs" -H 'Content-Type: application/json' \
    --data-binary @index-template.json
ask -X POST "$kibana/api/saved_objects/_import?overwrite=true" -H 'kbn-xsrf: moondev' --form file=@kibana.ndjson
