#!/usr/bin/env bash
# Builds all that is published, and lays it out in target/repository as a Maven repository wants it: the library for every platform, its
# native jars, and libevent4j-platform. What is given as arguments goes to mvn, such as -DskipTests; otherwise the tests run, with the
# library of linux-x86_64 that is shipped.
#
# A build of the same sources with the same JDK gives the same bytes, wherever the tree is: target/release.sha256 tells which.
set -euo pipefail
cd "$(dirname "$0")"

deploy() {
    mvn -B "$@" -DaltDeploymentRepository="staging::file:$PWD/target/repository" deploy
}

rm -rf target/repository
deploy -Prelease "$@"
deploy -f platform -Prelease "$@"
(cd target && sha256sum libevent4j-*.jar ../platform/target/*.jar ../pom.xml ../platform/pom.xml) > target/release.sha256
