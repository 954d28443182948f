package io.github.libevent4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code native/check-library.py} refuses a library for each thing that it looks at. */
class CheckLibraryTest {

    /** What it has nothing against: something for a JVM, and a call for each backend. */
    private static final String GOOD = """
        #include <poll.h>
        #include <sys/epoll.h>
        #include <sys/select.h>
        #define PUBLIC __attribute__((visibility("default")))
        const char *const backends[] = {"epoll", "poll", "select"};
        static int variable;
        PUBLIC int JNI_OnLoad(void) { return variable; }
        PUBLIC int Java_a(struct epoll_event *e, struct pollfd *p, fd_set *s) {
            return epoll_wait(0, e, 0, 0) + poll(p, 0, 0) + select(0, s, s, s, 0);
        }
        """;

    @TempDir
    private Path directory;

    @Test
    void aGoodOnePasses() throws Exception {
        assertEquals("", check(0, "linux-x86_64", GOOD));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "linux-arm64  | -shared                                     |                                                    | is for",
        "windows-x86_64 | -shared                                   |                                                    | is for",
        "linux-x86_64 | -shared -Wl,--no-as-needed -lgcc_s          |                                                    | needs libgcc_s.so.1",
        "linux-x86_64 | -shared                                     | #include <sys/random.h>\\nPUBLIC long Java_b(void *p) { return getrandom(p, 1, 0); } | needs version 2.25",
        "linux-x86_64 | -shared                                     | PUBLIC int shown(void) { return 0; }               | exports shown",
        "linux-x86_64 | -shared -Wl,-rpath,/somewhere               |                                                    | has an rpath",
        "linux-x86_64 | -shared -Wl,-z,execstack                    |                                                    | asks for an executable stack",
        "linux-x86_64 | -shared -mcmodel=large -fno-pic -Wl,-z,notext | PUBLIC int *Java_b(void) { return &variable; }  | has text relocations",
        "linux-x86_64 | -shared -nostdlib -Wl,-N                    |                                                    | both written and executed",
        "linux-x86_64 | -shared -g                                  |                                                    | has debug information",
        "linux-x86_64 | -shared -Dpoll=another                      |                                                    | has no backend poll",
        "linux-x86_64 | -shared                                     | int ioctl();\\nPUBLIC int Java_b(int *n) { return ioctl(0, 0x541b, n); } | calls ioctl()",
        "linux-x86_64 | -shared -DJava_a=JNI_OnUnload               |                                                    | has nothing for a JVM",
        "linux-x86_64 | -shared                                     | const char *tree = TREE;                           | holds the path",
        "linux-x86_64 | -c                                          |                                                    | is not a shared library",
        "linux-x86_64 | -E                                          |                                                    | is no library"})
    void aBadOneIsRefused(String platform, String options, String more, String why) throws Exception {
        String source = GOOD + (more == null ? "" : more.replace("\\n", "\n").replace("TREE", "\"" + Path.of("").toAbsolutePath() + "\""));
        String said = check(1, platform, source, options.split(" "));
        assertTrue(said.contains(why), said);
    }

    /** What the program says against a library that gcc makes with these options. */
    private String check(int status, String platform, String source, String... options) throws IOException, InterruptedException {
        Path file = Files.writeString(directory.resolve("library.c"), source);
        Path library = directory.resolve("library.so");
        List<String> gcc = new ArrayList<>(List.of("gcc", "-w", "-fPIC", "-fvisibility=hidden", "-o", library.toString(), file.toString()));
        gcc.addAll(options.length == 0 ? List.of("-shared") : List.of(options));
        if (!gcc.contains("-g")) {
            gcc.add("-s");
        }
        run(0, gcc);
        return run(status, List.of("python3", "native/check-library.py", platform, library.toString()));
    }

    /** What a program says on standard error, which ends with this status. */
    private String run(int status, List<String> command) throws IOException, InterruptedException {
        Path errors = directory.resolve("errors");
        Process process = new ProcessBuilder(command).redirectError(errors.toFile()).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
        int ended = process.waitFor();
        String said = Files.readString(errors);
        assertEquals(status, ended, said);
        return said;
    }
}
