//go:build linux

package e2e

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// mailTest sends a message from outside, waits until it is in the mailbox and
// no more is on its way, and wants one copy there: a message that circles
// arrives several times, or not at all.
func mailTest(t *testing.T, h *host, p proof) {
	t.Helper()
	subject := fmt.Sprintf("after %s %d", p.fix, p.port)
	sendMail(t, h, subject)
	for end := time.Now().Add(startLimit); ; time.Sleep(100 * time.Millisecond) {
		copies, queued := h.copies(t, subject), h.queued(t)
		if copies > 0 && queued == "" {
			// What had left the queue is in the mailbox only now.
			if copies = h.copies(t, subject); copies != 1 {
				t.Errorf("%d copies of %q arrived", copies, subject)
			}
			return
		}
		if time.Now().After(end) {
			t.Fatalf("after %v, %d copies of %q have arrived, and the queue has %q\n%s", startLimit, copies, subject, queued, h.logs())
		}
	}
}

// sendMail sends a message from outside.
func sendMail(t *testing.T, h *host, subject string) {
	t.Helper()
	c := dial(t, scanner, address4(h.n)+":25")
	c.SetDeadline(time.Now().Add(startLimit))
	c.smtp(t, [2]string{"EHLO sender.example.org", "250"}, [2]string{"MAIL FROM:<bob@example.org>", "250"},
		[2]string{"RCPT TO:<alice@" + h.name + ".e2e.invalid>", "250"}, [2]string{"DATA", "354"},
		[2]string{"From: bob@example.org\r\nTo: alice@" + h.name + ".e2e.invalid\r\nDate: " + time.Now().Format(time.RFC1123Z) +
			"\r\nMessage-ID: <" + strings.ReplaceAll(subject, " ", ".") + "@example.org>\r\nSubject: " + subject + "\r\n\r\nhello\r\n.", "250"},
		[2]string{"QUIT", "221"})
}

// copies counts the messages with a subject in the mailbox. Cyrus and Dovecot have
// headers a second time, in files of their own.
func (h *host) copies(t *testing.T, subject string) int {
	t.Helper()
	out, err := h.shell("grep -rhF --exclude='cyrus.*' --exclude='dovecot*' 'Subject: " + subject + "' " + cmp.Or(h.boxes, "/var/mail/alice") + " 2>/dev/null | wc -l")
	n, numeric := strconv.Atoi(out)
	if err != nil || numeric != nil {
		t.Fatalf("counting the copies of %q: %v: %s", subject, err, out)
	}
	return n
}

// queued is what the queue of the host's MTA has, "" where it is empty.
func (h *host) queued(t *testing.T) string {
	t.Helper()
	out, err := h.shell(cmp.Or(h.queue, "postqueue -j"))
	if err != nil {
		t.Fatalf("looking into the queue: %v: %s", err, out)
	}
	return out
}
