// pgx: orders in a transaction, a worker, and a leased worker behind a pooler.
//
//	client produce FIRST LAST
//	client work
//	client lease MEMBER
//
// Connects as the PG... environment variables say.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/jackc/pgx/v5"
)

type order struct {
	ID  int  `json:"id"`
	Bad bool `json:"bad"`
}

type record struct {
	topic     string
	partition int32
	offset    int64
	order     order
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// connect makes a connection. When the context of a query ends, pgx closes the connection;
// the server then rolls back at once. (CancelRequestContextWatcherHandler keeps it, but takes
// a tenth of a second.)
func connect(ctx context.Context, pooled bool) *pgx.Conn {
	config, err := pgx.ParseConfig("")
	check(err)
	if pooled {
		// a pooler gives each transaction another session: no prepared statements
		config.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	check(err)
	return conn
}

func produce(first, last int) error {
	ctx := context.Background()
	return pgx.BeginFunc(ctx, connect(ctx, false), func(tx pgx.Tx) error {
		for n := first; n <= last; n++ {
			if _, err := tx.Exec(ctx, "INSERT INTO orders_made VALUES ($1)", n); err != nil {
				return err
			}
			value := fmt.Sprintf(`{"id": %d, "bad": %t}`, n, n%10 == 0)
			if _, err := tx.Exec(ctx, "SELECT produce($1, $2, $3)", "orders", fmt.Sprintf("customer %d", n%7), value); err != nil {
				return err
			}
		}
		return nil
	})
}

// stopped tells whether an error is that of a query that was ended in order to stop.
func stopped(stop context.Context, err error) bool {
	return stop.Err() != nil && errors.Is(err, context.Canceled)
}

func bill(ctx context.Context, tx pgx.Tx, o order) error {
	if _, err := tx.Exec(ctx, "INSERT INTO billed VALUES ($1)", o.ID); err != nil {
		return err
	}
	if o.Bad {
		return errors.New("cannot be billed")
	}
	return nil
}

// billBatch bills what one call of consume_many() returns.  Only the poll ends with the context
// "stop"; the work is done to its end.
func billBatch(stop context.Context, tx pgx.Tx) error {
	ctx := context.Background()
	rows, err := tx.Query(stop,
		`SELECT topic::text, partition, record_offset, value::jsonb
		 FROM consume_many($1::text[]::regclass[], 'billing', max_records => 10, timeout_ms => 5000)`,
		[]string{"orders", `"orders.retry"`})
	if err != nil {
		return err
	}
	records, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r record, err error) {
		err = row.Scan(&r.topic, &r.partition, &r.offset, &r.order)
		return
	})
	if err != nil {
		return err
	}
	for _, r := range records {
		failure := pgx.BeginFunc(ctx, tx, func(savepoint pgx.Tx) error { return bill(ctx, savepoint, r.order) })
		if failure != nil {
			if _, err := tx.Exec(ctx, "SELECT nack($1, 'billing', $2, $3, $4)", r.topic, r.partition, r.offset, failure.Error()); err != nil {
				return err
			}
		}
	}
	return nil
}

func work(stop context.Context) error {
	ctx := context.Background()
	conn := connect(ctx, false)
	for stop.Err() == nil {
		err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return billBatch(stop, tx) })
		if err != nil && !stopped(stop, err) {
			return err
		}
	}
	return conn.Close(ctx)
}

func mail(ctx context.Context, conn *pgx.Conn, member string, orders []order) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		for _, o := range orders {
			if _, err := tx.Exec(ctx, "INSERT INTO mailed VALUES ($1)", o.ID); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, "SELECT commit_offsets('orders', 'mailing', $1)", member)
		return err
	})
}

func lease(stop context.Context, member string) error {
	ctx := context.Background()
	conn := connect(ctx, true)
	for stop.Err() == nil {
		rows, err := conn.Query(stop,
			`SELECT value::jsonb FROM consume('orders', 'mailing', 10, timeout_ms => 5000, member_id => $1, lease => '10 s')`, member)
		var orders []order
		if err == nil {
			orders, err = pgx.CollectRows(rows, pgx.RowTo[order])
		}
		if err != nil && !stopped(stop, err) {
			return err
		}
		if err == nil && len(orders) > 0 {
			if err := mail(ctx, conn, member, orders); err != nil {
				return err
			}
		}
	}
	if conn.IsClosed() {
		conn = connect(ctx, true)
	}
	if _, err := conn.Exec(ctx, "SELECT leave_group('orders', 'mailing', $1)", member); err != nil {
		return err
	}
	return conn.Close(ctx)
}

func main() {
	stop, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	switch os.Args[1] {
	case "produce":
		first, _ := strconv.Atoi(os.Args[2])
		last, _ := strconv.Atoi(os.Args[3])
		check(produce(first, last))
	case "work":
		check(work(stop))
	case "lease":
		check(lease(stop, os.Args[2]))
	}
}
