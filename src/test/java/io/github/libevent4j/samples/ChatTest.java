package io.github.libevent4j.samples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.libevent4j.support.Programs;
import java.io.IOException;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ChatTest extends SampleTest {

    private Programs.Running chat;
    private int port;

    @BeforeEach
    void start() throws Exception {
        chat = Programs.startJava("Samples", "chat", "--port", "0");
        port = awaitPort(chat);
    }

    @AfterEach
    void end() throws Exception {
        try (Programs.Running ended = chat) {
            assertEquals("", stop(ended, "TERM").errors());
        }
    }

    private Programs.Running socat(String options) throws IOException {
        return Programs.startListening("socat", "-", "TCP:127.0.0.1:" + port + options);
    }

    private static void hears(Programs.Running guest, String line) throws InterruptedException {
        guest.awaitOutput(Pattern.compile("^" + Pattern.quote(line) + "$", Pattern.MULTILINE));
    }

    @Test
    void everybodyHearsWhatEverybodySays() throws Exception {
        try (Programs.Running ann = Programs.startListening("nc", "-N", "127.0.0.1", Integer.toString(port));
             Programs.Running bob = socat("")) {
            hears(ann.say("ann\n"), "* ann joined");
            bob.say("no good\n");
            hears(bob, "A name has 1 to 20 letters and digits. Your name?");
            hears(bob.say("ann\r\n"), "There is a ann already. Your name?");
            hears(bob.say("bob\r\n"), "Here are: ann");
            hears(ann, "* bob joined");
            hears(bob, "* bob joined");
            ann.say("hello, b");
            ann.say("ob\nand \033[2Jmore\n");
            for (Programs.Running each : new Programs.Running[] {ann, bob}) {
                hears(each, "ann: hello, bob");
                hears(each, "ann: and ?[2Jmore");
            }
            ann.sayNoMore();
            hears(bob, "* ann left");
            Programs.Result all = ann.await();
            assertEquals("Your name?\nHere are: \n* ann joined\n* bob joined\nann: hello, bob\nann: and ?[2Jmore\n", all.text());
        }
    }

    @Test
    void showsOutWhoseLineDoesNotEnd() throws Exception {
        try (Programs.Running ann = socat(""); Programs.Running bob = socat("")) {
            hears(ann.say("ann\n"), "* ann joined");
            hears(bob.say("bob\n"), "* bob joined");
            String longest = "x".repeat(999);
            hears(bob.say(longest + "\n"), "bob: " + longest);
            bob.say("y".repeat(1000));
            hears(bob, "A line has at most 1000 bytes.");
            hears(ann, "* bob said too much");
            assertFalse(bob.await().text().contains("yy"));
        }
    }

    @Test
    void dropsWhoDoesNotRead() throws Exception {
        try (Programs.Running sloth = socat(",rcvbuf=4096"); Programs.Running bob = socat(""); Programs.Running ann = socat("")) {
            hears(sloth.say("sloth\n"), "* sloth joined");
            hears(bob.say("bob\n"), "* bob joined");
            hears(ann.say("ann\n"), "* ann joined");
            sloth.signal("STOP");
            String line = "z".repeat(900) + "\n";
            int said = 0;
            String last = "";
            // Until the kernel keeps no more for the one that sleeps; each time when the others have heard it.
            while (!heardOf(ann, "* sloth is too slow")) {
                last = "part " + ++said;
                bob.say(line.repeat(200) + last + "\n");
                hears(ann, "bob: " + last);
                hears(bob, "bob: " + last);
                assertTrue(said < 200, "it is never dropped");
            }
            sloth.signal("CONT");
            sloth.await();
        }
    }

    private static boolean heardOf(Programs.Running guest, String line) {
        return guest.output().contains(line + "\n");
    }
}
