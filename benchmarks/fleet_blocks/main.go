// Writes blocks of a Prometheus for the fleet benchmark: many series, each described by one line of standard input.
//
// promtool reads such samples from OpenMetrics text, of which 1,000 workloads of 7 days at 30 s would be 50 GB.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"sync"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

const (
	day    = 86400
	hour   = 3600
	commit = 1 << 14 // samples between two commits
)

// One line of the input. The value at t is Mean * (1 + Swing * sin of the day) plus noise of up to Noise;
// a counter adds that up over time.
type series struct {
	Labels  map[string]string `json:"labels"`
	Mean    float64           `json:"mean"`
	Swing   float64           `json:"swing"`
	Noise   float64           `json:"noise"`
	Whole   bool              `json:"whole"`
	Counter bool              `json:"counter"`
}

type span struct{ from, to int64 }

func main() {
	start := flag.Int64("start", 0, "seconds since the epoch")
	end := flag.Int64("end", 0, "seconds since the epoch")
	step := flag.Int64("step", 30, "seconds between samples")
	hours := flag.Int64("block", 54, "hours of one block")
	parallel := flag.Int("parallel", 2, "blocks made at a time")
	folder := flag.String("folder", "", "the Prometheus's data directory")
	flag.Parse()
	all, err := read(os.Stdin)
	if err != nil {
		fail(err)
	}
	length := *hours * hour
	var group sync.WaitGroup
	slots := make(chan struct{}, *parallel)
	for from := *start / length * length; from < *end; from += length {
		group.Add(1)
		slots <- struct{}{}
		go func() {
			defer group.Done()
			if err := write(*folder, all, *start, *step, length, span{max(from, *start), min(from+length, *end)}); err != nil {
				fail(err)
			}
			<-slots
		}()
	}
	group.Wait()
}

func read(input io.Reader) ([]series, error) {
	var all []series
	lines := bufio.NewScanner(input)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var one series
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, lines.Err()
}

func write(folder string, all []series, start, step, length int64, part span) error {
	ctx := context.Background()
	// Samples may come later than others by half of what the writer takes for the block's length.
	writer, err := tsdb.NewBlockWriter(slog.New(slog.DiscardHandler), folder, 2*length*1000)
	if err != nil {
		return err
	}
	defer writer.Close()
	appender, pending := writer.Appender(ctx), 0
	for number, one := range all {
		name := labels.FromMap(one.Labels)
		var reference storage.SeriesRef
		noise := rand.New(rand.NewPCG(1, uint64(number)))
		total := 0.0
		for t := start; t < part.to; t += step {
			value := one.at(t, noise)
			total += value * float64(step)
			if t < part.from {
				continue
			}
			if one.Counter {
				value = total
			}
			if reference, err = appender.Append(reference, name, t*1000, value); err != nil {
				return err
			}
			if pending++; pending == commit {
				if err := appender.Commit(); err != nil {
					return err
				}
				appender, pending = writer.Appender(ctx), 0
			}
		}
	}
	if err := appender.Commit(); err != nil {
		return err
	}
	block, err := writer.Flush(ctx)
	if err == nil {
		fmt.Println(block)
	}
	return err
}

func (one series) at(t int64, noise *rand.Rand) float64 {
	if one.Swing == 0 && one.Noise == 0 {
		return one.Mean
	}
	value := one.Mean * (1 + one.Swing*math.Sin(2*math.Pi*float64(t%day)/day) + one.Noise*noise.Float64())
	if one.Whole {
		return math.Round(value)
	}
	return value
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "fleet blocks:", err)
	os.Exit(1)
}
