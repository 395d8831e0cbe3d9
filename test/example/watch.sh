#!/bin/sh
# watch: tells the process $1 when the process $2 has ended. Needs jq.
#
#     rusm node --name london --spawnable 'watch=exec+json:sh watch.sh "$@"'
#     rusm spawn london watch greeter worker@tokyo
jq -nc --arg process "$2" '{ monitor: $process, ref: "it" }'
exec jq --unbuffered -c --arg to "$1" --arg process "$2" \
    'select(.down == "it") | { to: $to, data: "\($process) has ended: \(.reason)" }'
