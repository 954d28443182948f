package io.github.libevent4j;

import static java.util.stream.Collectors.toCollection;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Each of libevent's functions has its place in the API, or a line in {@code raw-only.txt} that says what there is instead, and why. */
class ApiCoverageTest {

    private static final Pattern NAME = Pattern.compile("\\w+");

    @Test
    void everyFunctionIsInTheApiOrHasAReasonNotToBe() throws IOException {
        Set<String> functions = functions();
        Set<String> used = namesInTheApi();
        Map<String, String> reasons = reasons();

        Set<String> forgotten = new TreeSet<>(functions);
        forgotten.removeAll(used);
        forgotten.removeAll(reasons.keySet());
        assertEquals(Set.of(), forgotten, "neither in the API nor in raw-only.txt");

        Set<String> unknown = new TreeSet<>(reasons.keySet());
        unknown.removeAll(functions);
        assertEquals(Set.of(), unknown, "in raw-only.txt, but no function of this libevent");

        Set<String> covered = new TreeSet<>(reasons.keySet());
        covered.retainAll(used);
        assertEquals(Set.of(), covered, "in raw-only.txt, but in the API by now");

        Set<String> unreasonable = reasons.entrySet().stream().filter(entry -> entry.getValue().isBlank()).map(Map.Entry::getKey)
            .collect(toCollection(TreeSet::new));
        assertEquals(Set.of(), unreasonable, "in raw-only.txt without a reason");
    }

    private static Set<String> functions() throws IOException {
        try (Stream<String> facts = Files.lines(Path.of(System.getProperty("libevent4j.facts"), "functions.txt"))) {
            return facts.map(line -> line.split("\t")[0]).collect(toCollection(TreeSet::new));
        }
    }

    /** All names in the sources of the API and of the C behind it. */
    private static Set<String> namesInTheApi() throws IOException {
        Path api = Path.of("src", "main", "java", "io", "github", "libevent4j");
        Set<String> names = new TreeSet<>();
        try (Stream<Path> java = Files.walk(api); Stream<Path> c = Files.list(Path.of("native"))) {
            Stream<Path> ofApi = java.filter(file -> file.toString().endsWith(".java"))
                .filter(file -> Stream.of("internal", "presets", "global", "bindings").noneMatch(inside -> api.relativize(file).startsWith(inside)));
            for (Path file : Stream.concat(ofApi, c.filter(file -> file.toString().endsWith(".c"))).toList()) {
                NAME.matcher(Files.readString(file)).results().map(MatchResult::group).forEach(names::add);
            }
        }
        return names;
    }

    private static Map<String, String> reasons() throws IOException {
        Map<String, String> reasons = new TreeMap<>();
        try (InputStream file = ApiCoverageTest.class.getResourceAsStream("/raw-only.txt")) {
            new String(file.readAllBytes()).lines().filter(line -> !line.isBlank()).forEach(line -> {
                String[] entry = line.split(": ", 2);
                assertEquals(null, reasons.put(entry[0], entry.length == 2 ? entry[1] : ""), entry[0] + " is there twice");
            });
        }
        return reasons;
    }
}
