package selfname

import (
	"regexp"
	"strings"
)

// A kind is what a word of a text may be.
type kind int

const (
	other    kind = iota
	name          // of a product, with a capital letter
	lower         // of a product, without one
	generic       // part of a name behind another word of it
	protocol      // the name of a protocol
	service       // what every daemon calls itself
	marks         // says that a version follows
	version       // of a product
	host          // the name of a host
)

// wordLists are the words that are no name of a product, in lower case.
var wordLists = map[kind]string{
	protocol: `esmtp smtp lmtp esmtps smtps ssmtp esmtpa utf8smtp nt-esmtp imap imap2 imap2bis imap4 imap4rev1 imap4rev2 imaprev1
		imaps pop pop2 pop3 pop3s sieve managesieve managesieved http https http2 ftp nntp ldap tls ssl starttls sasl submission
		submissions mtp xmpp irc mqtt dns ssh qmtp qmqp`,
	service: `server servers service services daemon ready mta msa mda mua mx proxy backend frontend listener program software
		implementation system host`,
	generic: `mail email e-mail gateway gw agent internet intranet messaging message messages security secure anti-spam antispam
		filter relay appliance cloud transport transfer exchanger webmail mailserver mailer mailhost imapd pop3d smtpd lmtpd
		smtp-server mail-server suite edition enterprise standard professional connect`,
	marks: `version v ver ver release rel build r`,
	other: `a about above abuse accept accepted access account action activity add address administrator admin after against
		agree all allow allowed alpha also always an and anonymous any api apr april are as at attempts aug august authentication
		authenticated authorization authorized automatic available back bad banned be beta before begin bienvenue
		big blacklist blocked bot box browser bulk busy but by bye call can cannot capability capabilities cat client clients
		closing co code com come command commands commercial company connected connecting connection connections contact
		copyright corp corporation could current customer customers dashboard data date day dear debian dec december default
		delivery demo denied dest destination directory disconnect do does domain domains don done dot down during each eight
		en end enjoy enter error errors esp europe every example exit expected external extended fail failed fast
		fault feb february fedora first five for forbidden found four free freebsd fri friday from front full gmbh gmt gnu go
		good goodbye got great greetings greet greets group guest hallo happy has hat have he hello help here hey hi high home hosting
		hosted how html i id if illegal in inc inbound incoming index info information input insecure inside interface internal
		invalid invite is issue it its jan january jul july jun june just keep kind known lab language last latest law legal let
		level library limited line linux list ll llc load local localhost localdomain log logged logging login logon look ltd
		lunch mac macos mails mailbox mailboxes main maintenance make management manager mar march master may maybe me meet member
		misuse mode mon monday monitor monitored monitoring more moved my name need netbsd network new news next nice no node
		none not note notice nov november now null number object oct october of off offline ok okay old on once one online only
		open openbsd or org organization orig other our out outbound outgoing output over own owner page panel password path per
		permanent permission permitted plain platform please pleased policy port portal post postmaster powered 
		preview private probe probes processing prod production prohibited prosecuted protected protocol public queue quit random
		raspbian rc receive received recipient red redirect reference refuse refused registered regular reject rejected rely
		report request requests required reserved respond response restricted result rfc rights root rules run running rocks same
		sandbox sat saturday see select send sender sep sept september session sessions set setup seven sign signin site six
		smarthost some sorry spam spammer spammers spamming special speak spoken stage staging start started starting
		state status stop strictly sun sunday suse support talk temporary ten terms test testing tester
		than thank thanks that the their them then there these they this three throttle thu thursday time timeout title to today
		too touch trademark traffic transmission tue tuesday two type ube ubuntu uce unauthorised unauthorized unavailable
		under unix unknown unlimited unsolicited until up upgrade us usage use used user users using utc valid very via violators
		violation virtual visit vm vps want warning was we web webserver website wed wednesday week welcome welcoming what when
		where which while who whitelist why will willkommen win32 win64 windows with without wed work workgroup working world would
		www x x64 x86 x86_64 amd64 arm64 i386 i686 aarch64 xclient xforward year yes you your yours zero zone
		bienvenidos bienvenido benvenuto bonjour hola ciao salut servus dienst bereit serveur servidor
		undefined nil true false empty anything something nothing nobody somebody everyone everybody untitled document
		dom lun mer jeu ven sam dim mo di mi do fr sa so lundi mardi montag dienstag mittwoch donnerstag freitag samstag sonntag
		janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre januar februar juni juli oktober dezember
		centos rhel alpine darwin solaris sunos aix hp-ux est edt cst cdt mst mdt
		pst pdt cet cest bst jst msk am pm in-addr arpa`,
}

// kinds has the kind of each word of the lists.
var kinds = func() map[string]kind {
	m := make(map[string]kind)
	for k, words := range wordLists {
		for word := range strings.FieldsSeq(words) {
			m[word] = k
		}
	}
	return m
}()

var (
	namePattern    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*(?:[+_-][A-Za-z0-9]+)*\+{0,2}$`)
	versionPattern = regexp.MustCompile(`^\d{1,8}(?:\.\d{1,12})+(?:[._+~-]?[A-Za-z0-9]+){0,6}$`)
	hostPattern    = regexp.MustCompile(`^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+\.?$`)
)

// maxWord is how long a word of a name may be.
const maxWord = 24

// kindOf tells what a word may be, where it stands alone.
func (h hosts) kindOf(word string) kind {
	if k, ok := kinds[strings.ToLower(word)]; ok {
		return k
	}
	switch {
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

// isIdentifier reports whether a word looks like the id of a message or a machine.
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

// speakable reports whether a word reads like one that people made up, where no
// version says so.
func speakable(word string) bool {
	if strings.ToUpper(word) == word {
		return false // the name of a machine, or shouting
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
