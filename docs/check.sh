#!/usr/bin/env bash
# Checks what the documents claim: every file they name exists, every requirement of the catalogue stands in
# docs/requirements.md exactly once with a known status, and every test named there as a proof exists.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Area and number of requirements of the catalogue.
catalogue="MD:8 ST:10 OMS:10 RSK:7 JOB:3 API:9 CFG:6 DB:4 OBS:6 DEL:13 REL:5"
requirements=docs/requirements.md
mistakes=0

mistake() {
  printf '%s\n' "$1" >&2
  mistakes=$((mistakes + 1))
}

# Paths in backticks that begin with a folder of the repository; a star stands for any name.
# shellcheck disable=SC2016 # the backticks are those of Markdown
named_paths() {
  grep -oE '`(crates|docs|proto|infrastructure|\.ci|\.github|\.cargo)/[^` ]+`|`(Makefile|Cargo\.toml|clippy\.toml|deny\.toml|\.rustfmt\.toml|CHANGELOG\.md)`' \
    "$1" | tr -d '`' | sort -u
}

for document in README.md CONTRIBUTING.md CHANGELOG.md docs/*.md docs/adr/*.md; do
  while read -r path; do
    compgen -G "$path" >/dev/null || mistake "$document: $path does not exist"
  done < <(named_paths "$document")
done

for area in $catalogue; do
  for number in $(seq -f %02g "${area#*:}"); do
    id=R-${area%:*}-$number
    count=$(grep -cE "^\| $id \|" "$requirements" || true)
    [[ $count == 1 ]] || mistake "$requirements: $id stands there $count times"
  done
done

# The functions of all tests, once; those made by macros are functions too.
functions=$(grep -rhoE --include='*.rs' 'fn [a-z0-9_]+' crates | cut -c4- | sort -u)
while IFS='|' read -r _ id _ status _ proof _; do
  id=${id// /} status=${status// /}
  [[ $id == R-* ]] || continue
  case $status in
    done | part) [[ -n ${proof// /} ]] || [[ $id == R-DEL-12 ]] || mistake "$requirements: $id is $status without a proof" ;;
    open) ;;
    *) mistake "$requirements: $id has the status '$status'; expected done, part or open" ;;
  esac
  # shellcheck disable=SC2016 # the backticks are those of Markdown
  while read -r test; do
    grep -qxF -- "$test" <<<"$functions" || mistake "$requirements: $id names the test $test, which does not exist"
  done < <(grep -oE '`[a-z0-9]+(_[a-z0-9]+)+`' <<<"$proof" | tr -d '`')
done <"$requirements"

if ((mistakes > 0)); then
  echo "docs: $mistakes mistakes" >&2
  exit 1
fi
echo "docs: names and links are right"
