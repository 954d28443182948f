package io.github.libevent4j.support;

import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Predicate;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** What is logged to one logger while this is open, in place of the console. */
public final class Logs extends Handler implements AutoCloseable {

    private final LinkedBlockingQueue<LogRecord> records = new LinkedBlockingQueue<>();
    private final Logger logger; // held, or it may be collected with its handlers
    private final Level level;

    private Logs(String name) {
        logger = Logger.getLogger(name);
        level = logger.getLevel();
        logger.setLevel(Level.ALL);
        logger.setUseParentHandlers(false);
        logger.addHandler(this);
    }

    public static Logs of(String name) {
        return new Logs(name);
    }

    @Override
    public void publish(LogRecord record) {
        records.add(record);
    }

    /** The next record that fits; those before it are dropped. Waits for it. */
    public LogRecord await(Predicate<LogRecord> fits) throws InterruptedException {
        LogRecord record;
        do {
            record = records.take();
        } while (!fits.test(record));
        return record;
    }

    /** What has been logged and not been awaited. */
    public List<LogRecord> records() {
        return List.copyOf(records);
    }

    @Override
    public void flush() {
    }

    @Override
    public void close() {
        logger.removeHandler(this);
        logger.setUseParentHandlers(true);
        logger.setLevel(level);
    }
}
