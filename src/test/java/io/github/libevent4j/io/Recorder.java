package io.github.libevent4j.io;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Remembers what a bufferevent heard, and takes its input. */
class Recorder implements BufferEvent.Listener {

    final List<String> events = new ArrayList<>();
    final StringBuilder read = new StringBuilder();
    IOException failure;

    @Override
    public void onRead(BufferEvent event) {
        read.append(new String(event.input().removeAll(), UTF_8));
        note("read");
    }

    @Override
    public void onWritten(BufferEvent event) {
        note("written");
    }

    @Override
    public void onConnected(BufferEvent event) {
        note("connected");
    }

    @Override
    public void onEof(BufferEvent event) {
        note("eof");
    }

    @Override
    public void onTimeout(BufferEvent event, BufferEvent.Direction direction) {
        note("timeout " + direction);
    }

    @Override
    public void onError(BufferEvent event, IOException failure) {
        this.failure = failure;
        note("error");
    }

    void note(String event) {
        events.add(event);
    }

    boolean heard(String event) {
        return events.contains(event);
    }
}
