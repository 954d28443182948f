package benchmarks.micro;

import io.github.libevent4j.EventBase;
import io.github.libevent4j.io.Buffer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Bytes into an evbuffer and out of it. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class Buffers {

    /** Bytes at a time. */
    @Param({"64", "1024", "65536"})
    public int size;

    private EventBase base;
    private Buffer buffer;
    private Buffer other;
    private byte[] array;
    private ByteBuffer direct;

    @Setup
    public void create() throws IOException {
        base = EventBase.create();
        buffer = Buffer.create(base);
        other = Buffer.create(base);
        array = new byte[size];
        Arrays.fill(array, (byte) 'x');
        direct = ByteBuffer.allocateDirect(size);
    }

    @TearDown
    public void close() {
        base.close();
    }

    /** From an array and into one that is there. */
    @Benchmark
    public int array() {
        buffer.add(array);
        return buffer.remove(array, 0, size);
    }

    /** From an array and into a new one. */
    @Benchmark
    public byte[] newArray() {
        buffer.add(array);
        return buffer.removeAll();
    }

    /** From direct memory and into it. */
    @Benchmark
    public int direct() {
        buffer.add(direct.clear());
        return buffer.remove(direct.clear());
    }

    /** From one buffer to another, which copies nothing (evbuffer_add_buffer). */
    @Benchmark
    public void moved() {
        buffer.add(array);
        other.addBuffer(buffer);
        other.drain(size);
    }
}
