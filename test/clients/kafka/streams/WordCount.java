// Counting words: TOPIC has records of three words, which are the keys of the results.
import java.util.List;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;

public class WordCount extends Application {
    WordCount(String[] args) { super(args); }

    public static void main(String[] args) throws Exception {
        new WordCount(args).carryOut(args);
    }

    ProducerRecord<String, String> record(int i) {
        return new ProducerRecord<>(topic, i % 3, null, "one" + i % 2 + " two" + i % 5 + " three" + i % 11);
    }

    KStream<String, String> results(StreamsBuilder builder) {
        return builder.<String, String>stream(topic)
            .flatMapValues(value -> List.of(value.split(" ")))
            .groupBy((key, word) -> word, Grouped.with(Serdes.String(), Serdes.String()))
            .count()
            .toStream()
            .mapValues(count -> "" + count);
    }
}
