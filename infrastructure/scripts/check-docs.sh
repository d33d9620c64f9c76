#!/usr/bin/env bash
# Every relative link in the repository's Markdown files leads to a file that exists.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

broken=0
while IFS= read -r -d '' document; do
  while IFS= read -r link; do
    target=${link%%#*}
    [[ -z $target || $target == *://* || $target == mailto:* ]] && continue
    if [[ ! -e $(dirname "$document")/$target ]]; then
      echo "$document: no such file: $target" >&2
      broken=1
    fi
  done < <(grep -oE '\]\([^) ]+\)' "$document" | sed -E 's/^\]\((.*)\)$/\1/')
done < <(git ls-files -z --cached --others --exclude-standard '*.md')
exit "$broken"
