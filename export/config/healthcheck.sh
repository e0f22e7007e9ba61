#!/bin/bash
# Healthy (0) when all models of models.config, or any one of them, are
# AVAILABLE at their URLs.
#
#   healthcheck.sh all|any [models.config [REST port]]
#
# The server's image has neither curl nor Python; bash and coreutils will do.
how=${1:-all}
config=${2:-/models/models.config}
port=${3:-8501}

available() { # whether a version of this model answers
  exec 3<> "/dev/tcp/127.0.0.1/$port" || return
  printf 'GET /v1/models/%s HTTP/1.0\r\n\r\n' "$1" >&3
  timeout 3 cat <&3 | grep -q '"state": *"AVAILABLE"'
}

names=$(grep -v '^[[:space:]]*#' "$config" |
  grep -oE '(^|[^_[:alnum:]])name:? *"[^"]+"' | grep -oE '"[^"]+"' | tr -d '"')
good=0 bad=()
for name in $names; do
  if available "$name" 2> /dev/null; then good=$((good + 1)); else bad+=("$name"); fi
done
if [ "$good" -gt 0 ] && { [ "$how" = any ] || [ ${#bad[@]} -eq 0 ]; }; then
  exit 0
fi
echo "expected $how of the models in $config to be AVAILABLE on port $port," \
  "found $good, and not: ${bad[*]:-a single model}" >&2
exit 1
