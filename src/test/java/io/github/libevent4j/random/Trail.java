package io.github.libevent4j.random;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.Deque;

/** The last operations: in memory for a failure's message, and in a file for what ends the process. */
final class Trail implements AutoCloseable {

    private static final int LAST = 60;

    private final FileChannel file;
    private final Deque<String> last = new ArrayDeque<>();

    Trail(Path path) throws IOException {
        file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING);
    }

    synchronized void begin(String round) throws IOException {
        file.truncate(0);
        last.clear();
        note(round);
    }

    synchronized void note(String line) {
        if (last.size() == LAST) {
            last.remove();
        }
        last.add(line);
        try {
            file.write(ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public synchronized String toString() {
        return String.join("\n", last);
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
