package io.github.libevent4j.internal;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bytedeco.javacpp.Pointer;

/**
 * Passes libevent's log lines to {@link System.Logger}. Libevent logs under its locks and on any thread, so its side only queues
 * the line; this daemon thread waits for them.
 */
final class NativeLog {

    private static final System.Logger LOGGER = System.getLogger("io.github.libevent4j.native");
    private static final Level[] LEVELS = {Level.DEBUG, Level.INFO, Level.WARNING, Level.ERROR};
    private static final int LINE_SIZE = 512;

    private NativeLog() {
    }

    static void start() {
        Thread thread = new Thread(NativeLog::run, "libevent4j-log");
        thread.setDaemon(true);
        thread.start();
    }

    private static void run() {
        ByteBuffer line = ByteBuffer.allocateDirect(LINE_SIZE);
        ByteBuffer lost = ByteBuffer.allocateDirect(Integer.BYTES).order(ByteOrder.nativeOrder());
        long lineAddress = new Pointer(line).address();
        long lostAddress = new Pointer(lost).address();
        while (true) {
            int severity = Native.libevent4j_log_take(lineAddress, LINE_SIZE, lostAddress);
            int length = 0;
            while (line.get(length) != 0) {
                length++;
            }
            byte[] text = new byte[length];
            line.get(0, text);
            log(LEVELS[severity & 3], new String(text, UTF_8));
            if (lost.getInt(0) > 0) {
                log(Level.WARNING, lost.getInt(0) + " log lines of libevent were dropped");
            }
        }
    }

    private static void log(Level level, String line) {
        try {
            LOGGER.log(level, line);
        } catch (RuntimeException e) {
            return; // a logger that fails costs its line, and not those that follow
        }
    }
}
