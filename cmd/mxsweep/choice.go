package main

import (
	"fmt"
	"slices"
	"strings"
)

// A choice is a flag that takes one of a few words. It implements pflag.Value.
type choice struct {
	value string
	words []string
}

// newChoice is a choice whose default is the first word.
func newChoice(words ...string) *choice { return &choice{words[0], words} }

func (c *choice) String() string { return c.value }
func (c *choice) Type() string   { return strings.Join(c.words, "|") }

func (c *choice) Set(word string) error {
	if !slices.Contains(c.words, word) {
		return fmt.Errorf("not one of %s", strings.Join(c.words, ", "))
	}
	c.value = word
	return nil
}

// The words of --color and --progress.
const (
	auto   = "auto"
	always = "always"
	never  = "never"
)
