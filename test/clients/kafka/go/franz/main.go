// franz-go.
//
//	franz BOOTSTRAP SCENARIO TOPIC [RECORDS]
//	franz BOOTSTRAP member TOPIC GROUP NAME KIND
//
// README.md says what each scenario is.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"example.com/client/shared"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

var (
	bootstrap, scenario, topic = os.Args[1], os.Args[2], os.Args[3]
	background                 = context.Background()
)

func client(options ...kgo.Opt) *kgo.Client {
	client, err := kgo.NewClient(append(options, kgo.SeedBrokers(bootstrap), kgo.DefaultProduceTopic(topic))...)
	shared.Check(err)
	return client
}

func toKgo(record shared.Record) *kgo.Record {
	result := &kgo.Record{Partition: int32(record.Partition), Key: record.Key, Value: record.Value}
	if record.Timestamp >= 0 {
		result.Timestamp = time.UnixMilli(record.Timestamp)
	}
	for _, header := range record.Headers {
		result.Headers = append(result.Headers, kgo.RecordHeader{Key: header.Name, Value: header.Value})
	}
	return result
}

func print(record *kgo.Record) {
	shown := shared.Record{Partition: int(record.Partition), Timestamp: record.Timestamp.UnixMilli(), Key: record.Key, Value: record.Value}
	for _, header := range record.Headers {
		shown.Headers = append(shown.Headers, shared.Header{Name: header.Key, Value: header.Value})
	}
	shared.Print(record.Offset, shown)
}

// offsetsOf gives the ends of the topic's partitions, in order.
func offsetsOf(list func(context.Context, ...string) (kadm.ListedOffsets, error)) (offsets []kadm.ListedOffset) {
	listed, err := list(background, topic)
	shared.Check(err)
	for partition := 0; ; partition++ {
		offset, found := listed.Lookup(topic, int32(partition))
		if !found {
			return offsets
		}
		offsets = append(offsets, offset)
	}
}

func admin() (*kadm.Client, func()) {
	base := client()
	return kadm.NewClient(base), base.Close
}

// all gives all records up to the ends as they are now, partition by partition.
func all(each func(*kgo.Record)) {
	admin, done := admin()
	defer done()
	for _, end := range offsetsOf(admin.ListEndOffsets) {
		if end.Offset > 0 {
			from(end.Partition, kgo.NewOffset().AtStart(), end.Offset, each)
		}
	}
}

// from gives a partition's records from an offset up to another.
func from(partition int32, offset kgo.Offset, end int64, each func(*kgo.Record)) {
	consumer := client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {partition: offset}}))
	defer consumer.Close()
	for {
		fetches := consumer.PollFetches(background)
		shared.Check(fetches.Err())
		for _, record := range fetches.Records() {
			if record.Offset < end {
				each(record)
			}
			if record.Offset >= end-1 {
				return
			}
		}
	}
}

func digests() {
	digests := shared.Digests{}
	all(func(record *kgo.Record) { digests.Add(int(record.Partition), record.Value) })
	digests.Print()
}

func metadata() {
	admin, done := admin()
	defer done()
	found, err := admin.Metadata(background, topic, shared.Unknown)
	shared.Check(err)
	fmt.Println("nodes", len(found.Brokers), "a controller", found.Controller >= 0, "a cluster id", found.Cluster != "")
	for _, partition := range found.Topics[topic].Partitions.Sorted() {
		fmt.Println("partition", partition.Partition, "a leader", partition.Leader >= 0, "replicas", len(partition.Replicas), "in sync", len(partition.ISR))
	}
	fmt.Println("an id", found.Topics[topic].ID != kadm.TopicID{})
	fmt.Println("an unknown topic:", found.Topics[shared.Unknown].Err)
	listed, err := admin.ListTopics(background)
	shared.Check(err)
	fmt.Println("listed", listed.Has(topic))
}

func write() {
	producer := client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer producer.Close()
	for _, record := range shared.Records(os.Args[4]) {
		sent, err := producer.ProduceSync(background, toKgo(record)).First()
		shared.Check(err)
		fmt.Println("acknowledged", sent.Partition, sent.Offset)
	}
	all(print)
}

// send produces records as they come and waits for all of them.
func send(records []shared.Record, options ...kgo.Opt) {
	producer := client(append(options, kgo.ProducerLinger(20*time.Millisecond))...)
	defer producer.Close()
	for _, record := range records {
		producer.Produce(background, toKgo(record), func(_ *kgo.Record, err error) { shared.Check(err) })
	}
	shared.Check(producer.Flush(background))
}

func codecs() {
	for _, one := range []struct {
		name  string
		codec kgo.CompressionCodec
	}{{"none", kgo.NoCompression()}, {"gzip", kgo.GzipCompression()}, {"snappy", kgo.SnappyCompression()}, {"lz4", kgo.Lz4Compression()}, {"zstd", kgo.ZstdCompression()}} {
		send(shared.OfCodec(one.name), kgo.ProducerBatchCompression(one.codec), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	}
	digests()
}

func acks() {
	for name, acks := range []kgo.Acks{kgo.NoAck(), kgo.LeaderAck(), kgo.AllISRAcks()} {
		producer := client(kgo.RequiredAcks(acks), kgo.DisableIdempotentWrite(), kgo.RecordPartitioner(kgo.ManualPartitioner()))
		for n := int64(0); n < 5; n++ {
			record := shared.Record{Timestamp: 1700000000000 + n, Value: []byte(fmt.Sprint("acks ", name, " ", n))}
			shared.Check(producer.ProduceSync(background, toKgo(record)).FirstErr())
		}
		producer.Close()
	}
	all(print)
}

func offsets() {
	admin, done := admin()
	defer done()
	starts, ends := offsetsOf(admin.ListStartOffsets), offsetsOf(admin.ListEndOffsets)
	for partition := range starts {
		fmt.Println("partition", partition, "begins", starts[partition].Offset, "ends", ends[partition].Offset)
	}
	for _, at := range shared.Times {
		fmt.Printf("at %d:", at)
		for _, offset := range offsetsOf(func(ctx context.Context, topics ...string) (kadm.ListedOffsets, error) {
			return admin.ListOffsetsAfterMilli(ctx, at, topics...)
		}) {
			fmt.Printf(" %d of %d", offset.Offset, offset.Timestamp)
		}
		fmt.Println()
	}
	for _, offset := range offsetsOf(admin.ListMaxTimestampOffsets) {
		fmt.Println("max timestamp", offset.Offset, "of", offset.Timestamp)
	}
}

func seek() {
	for _, offset := range []int64{4, 0, 3, 1} {
		from(0, kgo.NewOffset().At(offset), offset+1, print)
	}
	from(0, kgo.NewOffset().AtEnd().Relative(-2), 6, print)
	from(0, kgo.NewOffset().AfterMilli(1700000002500), 3, print)
}

func reset() {
	for name, offset := range []kgo.Offset{kgo.NoResetOffset(), kgo.NewOffset().AtStart()} {
		consumer := client(kgo.ConsumeResetOffset(offset), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().At(1000)}}))
		ctx, cancel := context.WithTimeout(background, 10*time.Second)
		fetches := consumer.PollFetches(ctx)
		fmt.Println(name, "records", len(fetches.Records()), "error", nameOf(fetches.Err()))
		cancel()
		consumer.Close()
	}
}

func nameOf(err error) string {
	var kafkaError *kerr.Error
	if errors.As(err, &kafkaError) {
		return kafkaError.Message
	}
	return fmt.Sprint(err)
}

func errorsOf() {
	producer := client(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.ProducerBatchMaxBytes(10000000), kgo.UnknownTopicRetries(1), kgo.RecordRetries(2))
	defer producer.Close()
	try := func(what string, record *kgo.Record) {
		fmt.Println(what+":", nameOf(producer.ProduceSync(background, record).FirstErr()))
	}
	try("an unknown topic", &kgo.Record{Topic: shared.Unknown, Value: []byte("v")})
	try("a partition that is not there", &kgo.Record{Partition: 7, Value: []byte("v")})
	try("a record that is too large", &kgo.Record{Value: make([]byte, 200000)})
	try("a timestamp in the future", &kgo.Record{Value: []byte("v"), Timestamp: time.Now().Add(1000000 * time.Second)})
	try("a good record", &kgo.Record{Value: []byte("good"), Timestamp: time.UnixMilli(1700000000000)})
	all(print)
}

func wait() {
	consumer := client(kgo.FetchMaxWait(25*time.Second), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}))
	defer consumer.Close()
	producer := client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer producer.Close()
	ctx, cancel := context.WithTimeout(background, time.Second)
	fmt.Println("nothing", len(consumer.PollFetches(ctx).Records()))
	cancel()
	for n := 0; n < 3; n++ {
		began := time.Now()
		record := shared.Record{Timestamp: 1700000000000, Value: []byte(fmt.Sprint("awaited ", n))}
		shared.Check(producer.ProduceSync(background, toKgo(record)).FirstErr())
		for _, record := range consumer.PollFetches(background).Records() {
			print(record)
		}
		fmt.Println("soon", time.Since(began) < 5*time.Second)
	}
}

func main() {
	switch scenario {
	case "member":
		member(os.Args[4], os.Args[5], os.Args[6])
	case "metadata":
		metadata()
	case "write":
		write()
	case "read":
		all(print)
	case "keys":
		send(shared.Keyed())
		all(print)
	case "codecs":
		codecs()
	case "many":
		send(shared.Many(), kgo.DisableIdempotentWrite(), kgo.MaxProduceRequestsInflightPerBroker(1))
		digests()
	case "idempotent":
		send(shared.Many())
		digests()
	case "acks":
		acks()
	case "offsets":
		offsets()
	case "seek":
		seek()
	case "reset":
		reset()
	case "errors":
		errorsOf()
	case "wait":
		wait()
	case "in_transactions":
		inTransactions()
	case "process":
		process()
	}
}
