#!/usr/bin/env bash
# Fails unless the library $1 is one that can be shipped: it needs the C library alone, shows JNI alone, and knows nothing of the
# machine it was built on.
set -euo pipefail
library=$1

fail() {
    echo "check-library.sh: $library $*" >&2
    exit 1
}

needed=$(readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -vxE 'lib(c|m)\.so\.6|lib(pthread|dl|rt)\.so\..|ld-linux.*' | paste -sd ' ' || true)
[[ -z $needed ]] || fail "needs $needed"

! readelf -d "$library" | grep -qE '\((RPATH|RUNPATH)\)' || fail "has an rpath"
! readelf -d "$library" | grep -q '(TEXTREL)' || fail "has text relocations"

exports=$(nm -D --defined-only "$library" | awk '{ print $3 }' | grep -vE '^(Java_|JNI_On(Load|Unload))' | sed -n 1,5p | paste -sd ' ' || true)
[[ -z $exports ]] || fail "exports $exports"

readelf -lW "$library" | grep -q 'GNU_STACK.* RW ' || fail "asks for an executable stack"

! grep -qF "$(cd "$(dirname "$0")/.." && pwd)" "$library" || fail "holds the path it was built in"
