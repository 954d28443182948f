package io.github.libevent4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.support.Programs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the compiler is told of an ordinary use, in {@code native/profile}. */
class TrainingTest {

    private static final Path PROFILE = Path.of("native/profile");

    @Test
    void theUseThatIsCountedGoesToItsEnd() throws Exception {
        try (Programs.Running program = Programs.startJava(PROFILE.resolve("Training.java").toString())) {
            Programs.Result result = program.await();
            assertEquals(0, result.exit(), result.errors());
            assertEquals("", result.errors());
        }
    }

    @Test
    void theCountsAreThoseOfWhatEveryRequestNeeds() throws Exception {
        List<String> counts = Files.readAllLines(PROFILE.resolve("counts"));
        for (String line : counts) {
            assertTrue(line.matches("#.*|\\S+ \\d+( \\d+)+"), line);
        }
        for (String name : List.of("evhttp_parse_firstline_", "evhttp_make_header", "on_request", "libevent4j_cached_malloc", "bufferevent_readcb")) {
            assertTrue(counts.stream().anyMatch(line -> line.matches("(\\S+;)?" + name + " .*")), name);
        }
    }
}
