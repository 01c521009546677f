package selfname

import (
	_ "embed"
	"regexp"
	"strings"
)

// A kind says what a word of a text can be.
type kind int

const (
	other    kind = iota
	name          // part of a product name, capitalized
	lower         // part of a product name, not capitalized
	generic       // part of a product name after another part of it
	protocol      // name of a protocol
	service       // generic word for a service
	marks         // announces a version
	version       // version of a product
	host          // host name
	vendor        // a company that makes products, and no product by itself
)

// wordFile has the words that are not product names: lines of words in lower
// case, below their kind.
//
//go:embed words.txt
var wordFile string

// kinds maps each word of the file to its kind.
var kinds = func() map[string]kind {
	sections := map[string]kind{"protocol:": protocol, "service:": service, "generic:": generic, "marks:": marks, "vendor:": vendor, "other:": other}
	m, is := map[string]kind{}, other
	for line := range strings.Lines(wordFile) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		for word := range strings.FieldsSeq(line) {
			if k, ok := sections[word]; ok {
				is = k
				continue
			}
			m[word] = is
		}
	}
	return m
}()

var (
	namePattern    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*(?:[+_-][A-Za-z0-9]+)*\+{0,2}$`)
	versionPattern = regexp.MustCompile(`^\d{1,8}(?:\.\d{1,12})+(?:[._+~-]?[A-Za-z0-9]+){0,6}$`)
	hostPattern    = regexp.MustCompile(`^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+\.?$`)
)

// maxWord is the maximum length of a word of a name, in bytes.
const maxWord = 24

// kindOf returns the kind of a word by itself.
func (h hosts) kindOf(word string) kind {
	if k, ok := kinds[strings.ToLower(word)]; ok && k != vendor {
		return k
	}
	switch {
	case isCompany(word):
		return other
	case isVersion(strings.TrimPrefix(word, "v")):
		return version
	case h.has(word):
		return host
	case hostPattern.MatchString(word) && strings.ContainsFunc(word, isLetter):
		return host
	case !namePattern.MatchString(word) || len(word) < 2 || len(word) > maxWord || isIdentifier(word):
		return other
	case strings.ToLower(word) == word:
		return lower
	}
	return name
}

// companyPattern is a name that ends in the form of a company: ZimbraInc.
var companyPattern = regexp.MustCompile(`[a-z](?:Inc|Corp|GmbH|Ltd|LLC)$`)

func isCompany(word string) bool { return companyPattern.MatchString(word) }

// isIdentifier reports whether a word looks like the id of a message or a
// machine.
func isIdentifier(word string) bool {
	digits, flips, hex := 0, 0, true
	for i, r := range word {
		if r >= '0' && r <= '9' {
			digits++
		} else if r|0x20 > 'f' || r == '-' || r == '_' || r == '+' {
			hex = false
		}
		if i > 0 && isUpper(r) && isLower(rune(word[i-1])) {
			flips++
		}
	}
	return digits > 2 || flips > 2 || hex && len(word) >= 8 || digits > 0 && strings.ToUpper(word) == word
}

// speakable reports whether a word without a version looks like a pronounceable
// name.
func speakable(word string) bool {
	if strings.ToUpper(word) == word {
		return false // name of a machine, or all capitals
	}
	vowels, run := 0, 0
	for _, r := range word {
		switch {
		case strings.ContainsRune("aeiouyAEIOUY", r):
			vowels, run = vowels+1, 0
		case isLower(r):
			if run++; run > 4 {
				return false
			}
		default:
			run = 0
		}
	}
	return vowels > 0
}

func isLetter(r rune) bool { return isUpper(r) || isLower(r) }
func isUpper(r rune) bool  { return r >= 'A' && r <= 'Z' }
func isLower(r rune) bool  { return r >= 'a' && r <= 'z' }

// isVersion reports whether a word is a version, and neither a date nor an address.
func isVersion(word string) bool {
	return len(word) <= MaxVersion && versionPattern.MatchString(word) && !isDate(word) && !isAddress(word)
}
