#!/usr/bin/env bash
# Fails when the JVM of a test run reported a misuse of JNI (-Xcheck:jni) to one of its logs in the directory $1.
set -euo pipefail
cd "$1"

logs=(jvm-*.log)
[[ -e ${logs[0]} ]] || exit 0 # no test ran
warnings=$(grep -hE -A20 'WARNING in native method|FATAL ERROR in native method|WARNING: JNI local refs' "${logs[@]}" || true)
rm "${logs[@]}"
[[ -z $warnings ]] && exit 0
echo "$warnings" >&2
echo "check-jni-warnings.sh: the JVM reported a misuse of JNI" >&2
exit 1
