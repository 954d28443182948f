package benchmarks.micro;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.io.Buffer;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** From Java into C and back, and from C into Java: what each crossing costs, with all that the API does around it. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class Crossings {

    private static final byte[] BYTE = {'x'};

    private EventBase base;
    private Buffer plain;
    private Buffer heard;
    private long changes;

    @Setup
    public void create() throws IOException {
        base = EventBase.create();
        plain = Buffer.create(base);
        heard = Buffer.create(base);
        heard.onChange((before, added, deleted) -> changes++);
    }

    @TearDown
    public void close() {
        base.close();
    }

    /** One way and back: evbuffer_get_length. */
    @Benchmark
    public long downcall() {
        return plain.length();
    }

    /** Two crossings, a byte added and drained (evbuffer_add, evbuffer_drain), and nobody hears of it. */
    @Benchmark
    public void twoDowncalls() {
        plain.add(BYTE);
        plain.drain(1);
    }

    /** The same, heard of by a listener: two upcalls more. */
    @Benchmark
    public long twoDowncallsWithTwoUpcalls() {
        heard.add(BYTE);
        heard.drain(1);
        return changes;
    }
}
