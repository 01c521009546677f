package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The limits of the picture of the HTML report in the README.
const (
	pictureWidth  = 1280
	pictureHeight = 1000
	pictureLimit  = 200 << 10 // in bytes
)

// TestPictureShowsTheHTMLReport checks that the picture of the demo's HTML report
// is current without drawing it, because text looks different on each machine.
// The picture contains a digest of the page. With -update it is taken again, with
// Chromium.
func TestPictureShowsTheHTMLReport(t *testing.T) {
	needDemoPorts(t)
	page := filepath.Join(t.TempDir(), "report.html")
	var out, errs bytes.Buffer
	if code := program(context.Background(), []string{"demo", "-q", "-o", "html=" + page}, nil, &out, &errs, func(string) string { return "" }); code != 0 || errs.Len() > 0 {
		t.Fatalf("the demo ended with %d: %s", code, errs.String())
	}
	want := picturedPage(t, readDocument(t, page))
	file := filepath.Join(root, "docs", "images", "report.png")
	picture, err := os.ReadFile(file)
	if err == nil && pngText(picture, pictureOf) == want {
		checkPicture(t, picture)
		return
	}
	if !*update {
		t.Fatalf("%s shows another page (%v); make docs takes it anew, with Chromium", file, err)
	}
	picture = withPNGText(screenshot(t, page), pictureOf, want)
	checkPicture(t, picture)
	if err := os.WriteFile(file, picture, 0o644); err != nil {
		t.Fatal(err)
	}
}

// pictureOf is the keyword of the digest in a picture.
const pictureOf = "Source"

// picturedPage returns the digest of what the picture shows of a page: everything
// before its second section, without what identifies the run.
func picturedPage(t *testing.T, page string) string {
	t.Helper()
	shown, _, found := strings.Cut(page, `<section aria-labelledby="brief">`)
	if !found {
		t.Fatal("the page has no section that the picture does not show")
	}
	of := regexp.MustCompile(`<dt>When</dt><dd>[^<]*</dd>|<meta name="generator" content="[^"]*">`)
	if n := len(of.FindAllString(shown, -1)); n != 2 {
		t.Fatalf("the page says in %d places when and with what it was made, want 2", n)
	}
	digest := sha256.Sum256([]byte(of.ReplaceAllString(shown, "")))
	return hex.EncodeToString(digest[:])
}

func checkPicture(t *testing.T, picture []byte) {
	t.Helper()
	c, err := png.DecodeConfig(bytes.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	if c.Width != pictureWidth || c.Height != pictureHeight || len(picture) > pictureLimit {
		t.Errorf("the picture is %d by %d pixels and has %d bytes, want %d by %d, and at most %d", c.Width, c.Height, len(picture), pictureWidth, pictureHeight, pictureLimit)
	}
}

// screenshot has Chromium take a picture of the top of a page.
func screenshot(t *testing.T, page string) []byte {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("taking the picture anew: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	dir := t.TempDir()
	file := filepath.Join(dir, "report.png")
	cmd := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1",
		"--user-data-dir="+filepath.Join(dir, "profile"), fmt.Sprintf("--window-size=%d,%d", pictureWidth, pictureHeight), "--screenshot="+file, "file://"+page)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("taking the picture anew: %v\n%s", err, out)
	}
	return []byte(readDocument(t, file))
}

// A PNG file is a signature and chunks: length, type, data, checksum (PNG
// specification, Section 5.3). tEXt has a keyword, a NUL and a text (11.3.3.2).
const (
	pngSignature = 8
	pngHeader    = pngSignature + 4 + 4 + 13 + 4 // with IHDR, the first chunk
)

// withPNGText adds a text to a picture, after its header.
func withPNGText(picture []byte, keyword, text string) []byte {
	chunk := append([]byte("tEXt"), keyword+"\x00"+text...)
	var b bytes.Buffer
	b.Write(picture[:pngHeader])
	b.Write(binary.BigEndian.AppendUint32(nil, uint32(len(chunk)-4)))
	b.Write(chunk)
	b.Write(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(chunk)))
	b.Write(picture[pngHeader:])
	return b.Bytes()
}

// pngText returns the text of a picture with that keyword, "" if it has none.
func pngText(picture []byte, keyword string) string {
	for at := pngSignature; at+8 <= len(picture); {
		length, kind := int(binary.BigEndian.Uint32(picture[at:])), string(picture[at+4:at+8])
		data := picture[at+8:]
		if length < 0 || length > len(data) {
			return ""
		}
		if text, ok := strings.CutPrefix(string(data[:length]), keyword+"\x00"); ok && kind == "tEXt" {
			return text
		}
		at += 4 + 4 + length + 4
	}
	return ""
}

func TestPNGText(t *testing.T) {
	var plain bytes.Buffer
	if err := png.Encode(&plain, image.NewGray(image.Rect(0, 0, 2, 3))); err != nil {
		t.Fatal(err)
	}
	with := withPNGText(plain.Bytes(), pictureOf, "a page")
	if got := pngText(with, pictureOf); got != "a page" {
		t.Errorf("the text is %q", got)
	}
	if got := pngText(plain.Bytes(), pictureOf) + pngText(with, "Author") + pngText(with[:len(with)-20], "Author"); got != "" {
		t.Errorf("a text where none is: %q", got)
	}
	if c, err := png.Decode(bytes.NewReader(with)); err != nil || c.Bounds().Dy() != 3 {
		t.Errorf("with a text it is no picture any more: %v", err)
	}
}

// TestPicturedPage checks that only changes of what is shown change the digest.
func TestPicturedPage(t *testing.T) {
	page := `<meta name="generator" content="mxsweep 1"><p>2 critical</p><dt>When</dt><dd>today</dd><section aria-labelledby="brief">below</section>`
	digest := picturedPage(t, page)
	if other := strings.NewReplacer("mxsweep 1", "mxsweep 2", "today", "tomorrow", "below", "").Replace(page); picturedPage(t, other) != digest {
		t.Error("the digest changes with what the picture does not show")
	}
	if other := strings.Replace(page, "2 critical", "3 critical", 1); picturedPage(t, other) == digest {
		t.Error("the digest does not change with what the picture shows")
	}
}
