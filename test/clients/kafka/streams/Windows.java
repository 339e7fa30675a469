// Counting in windows of time: TOPIC has what sensors tell, with times that do not come in order; the keys of the results are sensors and
// the second.
import java.time.Duration;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.WindowStore;

public class Windows extends Application {
    static final long BEGIN = 1700000000000L;
    // no window is closed while records come, whichever partition they come from, and none is too old to be kept
    static final Duration GRACE = Duration.ofDays(36500);

    Windows(String[] args) { super(args); }

    public static void main(String[] args) throws Exception {
        new Windows(args).carryOut(args);
    }

    // 200 records a second, each up to three seconds late
    ProducerRecord<String, String> record(int i) {
        return new ProducerRecord<>(topic, i % 3, BEGIN + 5L * i - 1000 * (i % 4), "place" + i % 5, "sensor" + i / 4 % 4);
    }

    KStream<String, String> results(StreamsBuilder builder) {
        return builder.<String, String>stream(topic)
            .groupBy((place, sensor) -> sensor, Grouped.as("sensors"))
            .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofSeconds(1), GRACE))
            .count(Materialized.<String, Long, WindowStore<Bytes, byte[]>>as("windows")
                .withKeySerde(Serdes.String()).withValueSerde(Serdes.Long()).withRetention(GRACE.plusDays(1)))
            .toStream((window, count) -> window.key() + "@" + (window.window().start() - BEGIN) / 1000)
            .mapValues(count -> "" + count);
    }
}
