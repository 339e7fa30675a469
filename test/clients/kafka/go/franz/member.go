package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"example.com/client/shared"
	"github.com/twmb/franz-go/pkg/kgo"
)

// member is franz-go as a member of a group:
//
//	franz BOOTSTRAP member TOPIC GROUP NAME KIND
//
// KIND is "range", "roundrobin", "cooperative", or the protocol "consumer".
func member(group, name, kind string) {
	assigned := shared.Assigned{}
	var lock sync.Mutex
	changed := func(change func(int)) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
			lock.Lock()
			defer lock.Unlock()
			for _, partition := range partitions[topic] {
				change(int(partition))
			}
			assigned.Say()
		}
	}
	options := []kgo.Opt{kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.ClientID(name), kgo.AutoCommitInterval(200 * time.Millisecond),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.SessionTimeout(6 * time.Second), kgo.HeartbeatInterval(500 * time.Millisecond),
		kgo.OnPartitionsAssigned(changed(assigned.Add)), kgo.OnPartitionsRevoked(changed(assigned.Remove)), kgo.OnPartitionsLost(changed(assigned.Remove)),
		// what has been polled is not taken away before it has been printed
		kgo.BlockRebalanceOnPoll()}
	switch kind {
	case "range":
		options = append(options, kgo.Balancers(kgo.RangeBalancer()))
	case "roundrobin":
		options = append(options, kgo.Balancers(kgo.RoundRobinBalancer()))
	case "cooperative":
		options = append(options, kgo.Balancers(kgo.CooperativeStickyBalancer()))
	case "consumer":
		options = append(options, kgo.Balancers(kgo.StickyBalancer()), kgo.ServerSideBalancer())
	}
	consumer := client(options...)
	ctx, stop := signal.NotifyContext(background, syscall.SIGTERM)
	defer stop()
	for {
		fetches := consumer.PollFetches(ctx)
		if ctx.Err() != nil {
			break
		}
		fetches.EachError(func(_ string, _ int32, err error) { fmt.Fprintln(os.Stderr, err) })
		lock.Lock()
		out := bufio.NewWriter(os.Stdout)
		fetches.EachRecord(func(record *kgo.Record) {
			fmt.Fprintln(out, "record", record.Partition, record.Offset, string(record.Value))
		})
		out.Flush()
		lock.Unlock()
		consumer.AllowRebalance()
	}
	consumer.CloseAllowingRebalance()
}
