package io.github.libevent4j.internal;

import java.io.IOException;
import java.nio.channels.Channel;
import java.nio.channels.FileChannel;
import java.nio.channels.SelectableChannel;

/** Descriptors of Java's channels. */
public final class Descriptors {

    private Descriptors() {
    }

    /**
     * The descriptor of an open channel of the JDK; the channel keeps it.
     *
     * @throws IllegalStateException when the channel is closed
     * @throws UnsupportedOperationException for a channel whose descriptor cannot be had
     */
    public static long of(Channel channel) {
        if (!channel.isOpen()) {
            throw new IllegalStateException(channel + " is closed");
        }
        long fd = Native.libevent4j_descriptor_of(channel);
        if (fd < 0) {
            throw new UnsupportedOperationException(channel.getClass().getName() + " does not show its descriptor: use a channel"
                + " that the JDK's default provider made");
        }
        return fd;
    }

    /**
     * The same of a channel that must not block a loop.
     *
     * @throws IllegalArgumentException when it is in blocking mode
     */
    public static long ofNonBlocking(SelectableChannel channel) {
        if (channel.isOpen() && channel.isBlocking()) {
            throw new IllegalArgumentException(channel + " is in blocking mode: call configureBlocking(false) first");
        }
        return of(channel);
    }

    /** @throws IllegalArgumentException for a number that cannot be a descriptor */
    public static void checkRange(long descriptor) {
        if (descriptor < 0 || descriptor > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(descriptor + " is not a descriptor");
        }
    }

    /**
     * Checks that a file has these bytes.
     *
     * @throws IllegalStateException when the channel is closed
     * @throws IllegalArgumentException when it does not have them
     */
    public static void checkPart(FileChannel file, long position, long count) throws IOException {
        if (!file.isOpen()) {
            throw new IllegalStateException(file + " is closed");
        }
        long size = file.size();
        if (position < 0 || count < 0 || position > size - count) {
            throw new IllegalArgumentException("the file has " + size + " bytes, not " + count + " from " + position);
        }
    }

    /** A second descriptor for the channel's file, for the caller to pass on or close; -1 when there is none left. */
    public static long duplicate(Channel channel) {
        return duplicate(of(channel));
    }

    /** The same for an open descriptor. */
    public static long duplicate(long descriptor) {
        return Native.libevent4j_descriptor_dup(descriptor);
    }
}
