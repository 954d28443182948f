package io.github.libevent4j.support;

import io.github.libevent4j.EventBase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** The library's classes. */
public final class Classes {

    private Classes() {
    }

    /** Loads all that may be needed later, for a program that runs out of descriptors: to find a class in a directory takes one. */
    public static void load() throws Exception {
        Path classes = Path.of(EventBase.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        try (Stream<Path> files = Files.walk(classes.resolve("io/github/libevent4j"))) {
            for (Path file : files.filter(each -> each.toString().matches(".*/(internal|io|http|libevent4j)/\\w+(\\$\\w+)*\\.class")).toList()) {
                Class.forName(classes.relativize(file).toString().replace(".class", "").replace('/', '.'));
            }
        }
    }
}
