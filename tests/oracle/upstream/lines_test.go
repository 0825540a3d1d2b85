// Package oracle asks the HPA controller of Kubernetes itself: each line of the file MLSCALE_ORACLE_QUESTIONS is
// one question in JSON, each line of MLSCALE_ORACLE_ANSWERS its answer.
package oracle

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"
)

const longestLine = 16 << 20

func answerEach(t *testing.T, answer func(*testing.T, []byte) any) {
	questions, err := os.Open(os.Getenv("MLSCALE_ORACLE_QUESTIONS"))
	if err != nil {
		t.Fatal(err)
	}
	defer questions.Close()
	answers, err := os.Create(os.Getenv("MLSCALE_ORACLE_ANSWERS"))
	if err != nil {
		t.Fatal(err)
	}
	written := bufio.NewWriter(answers)
	encoder := json.NewEncoder(written)
	lines := bufio.NewScanner(questions)
	lines.Buffer(nil, longestLine)
	for lines.Scan() {
		if err := encoder.Encode(answer(t, lines.Bytes())); err != nil {
			t.Fatal(err)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if err := written.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := answers.Close(); err != nil {
		t.Fatal(err)
	}
}
