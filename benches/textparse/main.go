// Command textparse reads metrics text from stdin as many times as its argument says, with the parser of
// Prometheus itself, every label of every sample, and prints how many nanoseconds that took and how many
// samples there were.
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

func main() {
	times, err := strconv.Atoi(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	samples := 0
	begun := time.Now()
	for range times {
		samples += read(text)
	}
	fmt.Println(time.Since(begun).Nanoseconds(), samples)
}

// read counts the samples of a text, as a scrape of Prometheus walks over them.
func read(text []byte) int {
	parser := textparse.NewPromParser(text, labels.NewSymbolTable(), false)
	samples := 0
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return samples
		}
		if err != nil {
			log.Fatal(err)
		}
		if entry == textparse.EntrySeries {
			var series labels.Labels
			parser.Labels(&series)
			parser.Series()
			samples++
		}
	}
}
