#!/usr/bin/env bash
# node-cron 4.6.0 (npm), Node 20 and newer.
#
# When summer time ends, an hour comes twice: in Europe/Berlin on 2026-10-25, 02:00 to 03:00 is 00:00Z to 01:00Z and once more 01:00Z to
# 02:00Z. `task.match(date)` knows both: for `* * * * *` it says yes to 00:01Z and to 01:01Z. `task.getNextRuns(n)`, which the scheduler
# goes by, knows the second one alone: half a minute after 00:00Z the next run of an every-minute schedule is 61 minutes away, and 00:01Z
# to 00:59Z never come. In UTC the same call names 00:01Z.
#
# Prints what was seen, and fails when that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund node-cron@4.6.0
cat >look.mjs <<'JS'
// The moment at which the library is asked: it reads the clock by itself.
const Real = Date
const now = Real.parse('2026-10-25T00:00:30Z')
globalThis.Date = class extends Real {
  constructor(...given) {
    super(...(given.length > 0 ? given : [now]))
  }
  static now() {
    return now
  }
}
const { createTask } = await import('node-cron')
for (const timezone of ['UTC', 'Europe/Berlin']) {
  const task = createTask('* * * * *', () => {}, { timezone })
  const [next] = task.getNextRuns(1)
  const matches = ['00:01', '01:01'].map((time) => task.match(new Real(`2026-10-25T${time}:00Z`)))
  console.log(`${timezone}: matches 00:01Z ${matches[0]}, 01:01Z ${matches[1]}; next run ${next.toISOString()}`)
}
JS
seen=$(node look.mjs)
expected='UTC: matches 00:01Z true, 01:01Z true; next run 2026-10-25T00:01:00.000Z
Europe/Berlin: matches 00:01Z true, 01:01Z true; next run 2026-10-25T01:01:00.000Z'
echo "$seen"
if [ "$seen" != "$expected" ]; then
  echo 'this is not what was seen with node-cron 4.6.0' >&2
  exit 1
fi
