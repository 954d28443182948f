#!/usr/bin/env bash
# Writes the module of a platform's jar, whose name is $1, into the directory $2, with $3 for its own files. Nobody needs to name that
# module: it provides a service that the main module uses, and so comes with it. No package is in two modules.
set -euo pipefail
javac=${JAVA_HOME:+$JAVA_HOME/bin/}javac
main=io.github.libevent4j
name=$main.${1//-/.}
sources=$3/sources
rm -rf "$sources" "$3/classes"
mkdir -p "$sources/$name/${name//./\/}" "$sources/$main/${main//./\/}"

cat > "$sources/$name/module-info.java" << END
module $name {
    requires $main;

    provides $main.Libevent with $name.Library;
}
END
cat > "$sources/$name/${name//./\/}/Library.java" << END
package $name;

/** What this module provides: a libevent to load. Nobody calls it. */
public final class Library {
    private Library() {
    }

    public static $main.Libevent provider() {
        throw new UnsupportedOperationException();
    }
}
END
# Of the main module, what is needed to compile this.
echo "module $main { exports $main; }" > "$sources/$main/module-info.java"
echo "package $main; public class Libevent { }" > "$sources/$main/${main//./\/}/Libevent.java"

"$javac" -Xlint:-module --release 17 --module-source-path "$sources" -m "$name" -d "$3/classes"
cp -r "$3/classes/$name/." "$2"
