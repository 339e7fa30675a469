// A stream joined with a table: TOPIC has orders, TOPIC-prices what the items cost, TOPIC-joined gets each order with its price.
// The results are how many orders each customer has made, and what they cost.
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;

public class Join extends Application {
    Join(String[] args) { super(args); }

    public static void main(String[] args) throws Exception {
        new Join(args).carryOut(args);
    }

    // both in as many partitions as TOPIC, since what is joined must be in the same one
    List<NewTopic> topics() {
        return List.of(new NewTopic(topic + "-prices", 3, (short) 1), new NewTopic(topic + "-joined", 3, (short) 1));
    }

    // item 3 costs 13
    List<ProducerRecord<String, String>> before() {
        List<ProducerRecord<String, String>> prices = new ArrayList<>();

        for (int item = 0; item < 17; item++)
            prices.add(new ProducerRecord<>(topic + "-prices", "item" + item, "" + (10 + item)));
        return prices;
    }

    // the customer, and how many of the item
    ProducerRecord<String, String> record(int i) {
        return new ProducerRecord<>(topic, "item" + i % 17, "customer" + i % 7 + " " + (1 + i % 3));
    }

    static String joined(String order, String price) {
        String[] parts = order.split(" ");

        return parts[0] + " " + Integer.parseInt(parts[1]) * Integer.parseInt(price);
    }

    static String add(String total, String joined) {
        String[] parts = total.split(" ");

        return Integer.parseInt(parts[0]) + 1 + " " + (Integer.parseInt(parts[1]) + Integer.parseInt(joined.split(" ")[1]));
    }

    KStream<String, String> results(StreamsBuilder builder) {
        KStream<String, String> joined = builder.<String, String>stream(topic)
            .join(builder.<String, String>table(topic + "-prices"), Join::joined);

        // by customer, so that transactions of several threads are in each partition at once
        joined.selectKey((item, value) -> value.split(" ")[0]).to(topic + "-joined");
        return joined
            .groupBy((item, value) -> value.split(" ")[0], Grouped.as("customers"))
            .aggregate(() -> "0 0", (customer, value, total) -> add(total, value),
                Materialized.<String, String, org.apache.kafka.streams.state.KeyValueStore<org.apache.kafka.common.utils.Bytes, byte[]>>as("totals")
                    .withKeySerde(Serdes.String()).withValueSerde(Serdes.String()))
            .toStream();
    }
}
