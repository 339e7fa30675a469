/*
 * RecordVectors: has Apache Kafka's own classes write test vectors for another
 * implementation of its wire protocol.
 *
 * Every line of every file is one JSON object that names its bytes ("hex") and
 * what Kafka says that they mean; pack_vectors makes one file of them all.
 *
 *   MessageVectors   requests, responses and whole frames   slice1.jsonl, rest.jsonl
 *   ProtocolVectors  what consumers tell each other         consumer-protocol.jsonl
 *   BatchVectors     record batches                         batches.jsonl
 *   BadFrames        hostile frames and Kafka's answers     bad-frames.jsonl
 *
 * Values are derived from counters, never from a clock or chance: the same
 * Kafka and the same Java write the same files.
 */
import java.nio.file.Path;

public final class RecordVectors {
    /** The APIs that a produce, fetch and group client needs. */
    private static final int[] SLICE_1 = {
        0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 32, 36, 37, 42, 44, 47, 60, 75
    };

    /** The other APIs that a stock broker advertises. */
    private static final int[] REST = {
        24, 25, 26, 27, 28, 29, 30, 31, 33, 34, 35, 38, 39, 40, 41, 43, 45, 46, 48, 49, 50, 51, 55, 57, 61, 64, 65,
        66, 68, 69, 74, 76, 77, 78, 79, 80, 81, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92
    };

    /** Writes all files into the folder that the first argument names. */
    public static void main(String[] args) throws Exception {
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "off");
        Path folder = Path.of(args.length > 0 ? args[0] : ".");
        MessageVectors.write(folder.resolve("slice1.jsonl"), SLICE_1);
        MessageVectors.write(folder.resolve("rest.jsonl"), REST);
        ProtocolVectors.write(folder.resolve("consumer-protocol.jsonl"));
        BatchVectors.write(folder.resolve("batches.jsonl"));
        BadFrames.write(folder.resolve("bad-frames.jsonl"));
    }

    private RecordVectors() {
    }
}
