package fault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"testing"
)

func TestAs(t *testing.T) {
	if As(Usage, nil) != nil || WriteError("x", nil) != nil {
		t.Error("no error has become one")
	}
	cause := errors.New("cause")
	err := As(Refused, cause)
	var f *Error
	if !errors.Is(err, cause) || !errors.As(err, &f) || f.Kind != Refused || err.Error() != "cause" {
		t.Errorf("got %v", err)
	}
}

// TestWriteError names the file once, and keeps what package os says of why.
func TestWriteError(t *testing.T) {
	_, failed := os.Open("/nowhere/to/be/found")
	err := WriteError(`"report"`, failed)
	if want := `writing "report": no such file or directory`; !errors.Is(err, fs.ErrNotExist) || os.PathSeparator == '/' && err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestWalk visits an error before those in it, in their order.
func TestWalk(t *testing.T) {
	one, two := errors.New("one"), errors.New("two")
	joined := errors.Join(one, fmt.Errorf("around: %w", two))
	var got []string
	Walk(Usagef("hint", "first: %w", joined), func(err error) { got = append(got, fmt.Sprintf("%T", err)) })
	if want := "[*fault.Error *fmt.wrapError *errors.joinError *errors.errorString *fmt.wrapError *errors.errorString]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
	Walk(nil, func(error) { t.Error("nil was visited") })
}

func TestParts(t *testing.T) {
	a, b := errors.New("a"), errors.New("b")
	for _, tt := range []struct {
		err  error
		want []error
	}{
		{nil, nil},
		{a, []error{a}},
		{errors.Join(a, b), []error{a, b}},
		{errors.Join(a), []error{a}},
	} {
		if got := Parts(tt.err); !slices.Equal(got, tt.want) {
			t.Errorf("%v: got %v", tt.err, got)
		}
	}
	sentence := fmt.Errorf("%w and %w", a, b)
	if got := Parts(sentence); len(got) != 1 || got[0] != sentence {
		t.Errorf("a sentence of two: got %v", got)
	}
}

// placed is an error with an excerpt.
type placed struct{ error }

func (placed) Excerpt() string { return "  1 | x\n    | ^" }

// TestExplain: everything that is known of each error is in the text, once.
func TestExplain(t *testing.T) {
	first := Usagef("do this", "reading x: %w", Usagef("do this", "%w", placed{errors.New("no such thing")}))
	got := Explain(errors.Join(first, errors.New("second"), Hintf("one\ntwo", "third")))
	if want := "\nreading x: no such thing\n  1 | x\n    | ^\nhint: do this\nsecond\nthird\nhint: one\nhint: two"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
