import java.io.PrintStream;
import java.util.Locale;

/** A line that tells how far a transfer is, written anew whenever there is news. */
final class Progress implements AutoCloseable {

    private static final int WIDTH = 40;
    private static final double MEBIBYTE = 1 << 20;

    private final PrintStream out;
    private final long total;
    private long done;
    private long shown = -1;

    /**
     * Begins.
     *
     * @param total the bytes that are to come, or -1 when nobody knows
     */
    Progress(PrintStream out, long total) {
        this.out = out;
        this.total = total;
        add(0);
    }

    /** The bytes that are through. */
    long done() {
        return done;
    }

    /** Whether all that are to come are through, as far as anybody knows. */
    boolean isWhole() {
        return total < 0 || done == total;
    }

    /** So many bytes more are through. */
    void add(long bytes) {
        done += bytes;
        long news = total > 0 ? done * 100 / total : done >> 20;
        if (news != shown) {
            shown = news;
            show();
        }
    }

    private void show() {
        out.print(total > 0 ? bar((int) shown) : String.format(Locale.ROOT, "\r%.1f MiB", done / MEBIBYTE));
        out.flush();
    }

    private String bar(int percent) {
        int filled = WIDTH * percent / 100;
        return String.format(Locale.ROOT, "\r[%s%s] %3d %% of %.1f MiB", "=".repeat(filled), " ".repeat(WIDTH - filled), percent, total / MEBIBYTE);
    }

    /** Leaves the line with what it tells last. */
    @Override
    public void close() {
        if (total < 0) {
            show(); // less than a mebibyte was no news
        }
        out.println();
    }

    @Override
    public String toString() {
        return done + (total < 0 ? "" : " of " + total) + " bytes";
    }
}
