package io.github.libevent4j.raw;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What the build wrote down of libevent's headers, without JavaCPP: see native/facts.pl. */
final class Facts {

    private Facts() {
    }

    /** The lines of a file of facts, each split into its fields. */
    static List<String[]> read(String name) {
        Path file = Path.of(System.getProperty("libevent4j.facts"), name);
        try {
            List<String[]> facts = Files.readAllLines(file).stream().map(line -> line.split("\t")).toList();
            if (facts.isEmpty()) {
                throw new IllegalStateException(file + " is empty");
            }
            return facts;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
