package main

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.com/client/shared"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	toProcess   = 300
	atATime     = 20
	idleForSeen = 2 * time.Second
)

// seen gives the values of a topic that are committed, sorted.
func seen(topic string) (values []string) {
	consumer := client(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	defer consumer.Close()
	for limit := 10 * idleForSeen; ; limit = idleForSeen {
		ctx, cancel := context.WithTimeout(background, limit)
		records := consumer.PollFetches(ctx).Records()
		cancel()
		if len(records) == 0 {
			sort.Strings(values)
			return values
		}
		for _, record := range records {
			values = append(values, string(record.Value))
		}
	}
}

func shown() string { return strings.Join(seen(topic), " ") }

func transactional(id string) *kgo.Client {
	return client(kgo.TransactionalID(id), kgo.RecordPartitioner(kgo.ManualPartitioner()))
}

func put(producer *kgo.Client, name string, partitions ...int32) error {
	for _, partition := range partitions {
		if err := producer.ProduceSync(background, &kgo.Record{Partition: partition, Value: []byte(fmt.Sprint(name, partition))}).FirstErr(); err != nil {
			return err
		}
	}
	return nil
}

func transaction(producer *kgo.Client, name string, commit kgo.TransactionEndTry) {
	shared.Check(producer.BeginTransaction())
	shared.Check(put(producer, name, 0, 1, 2))
	shared.Check(producer.EndTransaction(background, commit))
}

func inTransactions() {
	producer := transactional(topic)
	defer producer.Close()
	transaction(producer, "first", kgo.TryCommit)
	transaction(producer, "aborted", kgo.TryAbort)
	transaction(producer, "second", kgo.TryCommit)
	shared.Check(producer.BeginTransaction())
	shared.Check(producer.EndTransaction(background, kgo.TryCommit))
	fmt.Println("committed:", shown())
	shared.Check(producer.BeginTransaction())
	shared.Check(put(producer, "zombie", 0))
	fmt.Println("while one is open:", shown())
	heir := transactional(topic)
	defer heir.Close()
	transaction(heir, "heir", kgo.TryCommit)
	err := put(producer, "late", 0)
	if err == nil {
		err = producer.EndTransaction(background, kgo.TryCommit)
	}
	fmt.Println("the zombie:", nameOf(err))
	fmt.Println("at the end:", shown())
}

// processor copies what its group is assigned, with the group's offsets in the same transactions, and aborts each third one.
func processor(name string, done *atomic.Int64, aborted *atomic.Int64) {
	session, err := kgo.NewGroupTransactSession(kgo.SeedBrokers(bootstrap), kgo.TransactionalID(name), kgo.ConsumerGroup(topic),
		kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.RequireStableFetchOffsets(), kgo.SessionTimeout(6*time.Second), kgo.HeartbeatInterval(500*time.Millisecond))
	shared.Check(err)
	defer session.Close()
	for transactions := 1; done.Load() < toProcess; {
		ctx, cancel := context.WithTimeout(background, 200*time.Millisecond)
		records := session.PollRecords(ctx, atATime).Records()
		cancel()
		if len(records) == 0 {
			continue
		}
		shared.Check(session.Begin())
		promise := kgo.AbortingFirstErrPromise(session.Client())
		for _, record := range records {
			session.Produce(background, &kgo.Record{Topic: topic + "-out", Value: record.Value}, promise.Promise())
		}
		fine := promise.Err() == nil
		committed, err := session.End(background, kgo.TransactionEndTry(fine && transactions%3 != 0))
		shared.Check(err)
		if committed {
			done.Add(int64(len(records)))
		} else {
			aborted.Add(1)
		}
		transactions++
	}
}

// process is read, process and write: two processors of a group, of which the second comes when the first is at work.
func process() {
	var done, aborted atomic.Int64
	var group sync.WaitGroup
	admin, end := admin()
	defer end()
	_, err := admin.CreateTopic(background, 3, 1, nil, topic+"-out")
	shared.Check(err)
	records := []shared.Record{}
	for n := 0; n < toProcess; n++ {
		records = append(records, shared.Record{Partition: n % 3, Timestamp: -1, Value: []byte(fmt.Sprintf("%03d", n))})
	}
	send(records, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for _, name := range []string{"one", "two"} {
		group.Add(1)
		go func() {
			defer group.Done()
			processor(topic+"-"+name, &done, &aborted)
		}()
		for done.Load() == 0 {
			time.Sleep(10 * time.Millisecond)
		}
	}
	group.Wait()
	values := seen(topic + "-out")
	different := map[string]bool{}
	for _, value := range values {
		different[value] = true
	}
	fmt.Println("some were aborted", aborted.Load() > 0)
	fmt.Println("processed", done.Load(), "there", len(values), "different", len(different))
	offsets, err := admin.FetchOffsets(background, topic)
	shared.Check(err)
	for partition := int32(0); partition < 3; partition++ {
		offset, _ := offsets.Lookup(topic, partition)
		fmt.Println("committed", partition, offset.At)
	}
}
