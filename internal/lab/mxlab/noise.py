"""What is no mail daemon: listeners that lie, drip, flood, hang up or never speak."""
import http.server
import random
import socket
import struct
import threading
import time

from .host import host


def serve(port, talk):
    """Accepts connections and talks to each in a thread."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(('0.0.0.0', port))
    s.listen(64)

    def one(c):
        try:
            talk(c)
        except OSError:
            pass
        finally:
            c.close()
    while True:
        c, _ = s.accept()
        threading.Thread(target=one, args=(c,), daemon=True).start()


def echo(c):
    while True:
        d = c.recv(4096)
        if not d:
            return
        c.sendall(d)


def tarpit(c):
    while c.recv(4096):
        pass


def random_bytes(c):
    numbers = random.Random(7)
    c.sendall(bytes(numbers.randrange(256) for _ in range(600)))
    while c.recv(4096):
        c.sendall(bytes(numbers.randrange(256) for _ in range(64)))


def endless(c):
    while True:
        c.sendall(b'220-still greeting you, please wait\r\n' * 20)
        time.sleep(0.02)


def endless_line(c):
    while True:
        c.sendall(b'A' * 4096)
        time.sleep(0.02)


def close(c):
    c.shutdown(socket.SHUT_RDWR)


def reset(c):
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))


def drip(c):
    for b in b'220 drip.lab.invalid ESMTP Postfix\r\n':
        c.sendall(bytes([b]))
        time.sleep(0.7)
    tarpit(c)


def greeting(text):
    def talk(c):
        c.sendall(text)
        while c.recv(4096):
            c.sendall(b'502 5.5.2 \x1b[31mno\x1b[0m\r\n')
    return talk


def greet_and_reset(c):
    c.sendall(b'220 reset.lab.invalid ESMTP\r\n')
    c.recv(10)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))


ESCAPES = b'220 \x1b]0;owned\x07\x1b[2J\x1b[1;31mPostfix\x1b[0m \x9b31m \x08\x08\x08 ESMTP\r\n'
HTML = b'220 <script>alert(1)</script>"\'><img src=x onerror=alert(2)> ,=cmd|\' /C calc\'!A0 | pipe ESMTP\r\n'
BAD_UTF8 = b'220 \xff\xfe\xc0\xaf \xed\xa0\x80 \xe2\x80\xae evil \x00nul \r ESMTP\n'


def slow_policy(c):
    c.recv(4096)
    time.sleep(20)
    c.sendall(b'action=dunno\n\n')


def web_server(port):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            b = b'<html><title>it works</title></html>'
            self.send_response(200)
            self.send_header('Content-Length', str(len(b)))
            self.end_headers()
            self.wfile.write(b)

        def log_message(self, *a):
            pass
    http.server.ThreadingHTTPServer(('0.0.0.0', port), Handler).serve_forever()


@host('noise')
def noise(h):
    h.mkdir('/run/sshd')
    h.run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', '/etc/ssh/lab_key')
    h.file('/etc/ssh/lab_sshd', 'Port 10025\nListenAddress 0.0.0.0\nHostKey /etc/ssh/lab_key\nUsePAM no\nPasswordAuthentication no\nPidFile none\n')
    h.start('sshd', ['/usr/sbin/sshd', '-D', '-e', '-f', '/etc/ssh/lab_sshd'])
    h.call('http', web_server, 10143)
    for port, name, talk in (
            (10031, 'echo', echo), (10024, 'tarpit', tarpit), (10026, 'random', random_bytes),
            (10027, 'endless', endless), (10022, 'endless-line', endless_line), (10028, 'close', close),
            (10029, 'reset', reset), (10030, 'escapes', greeting(ESCAPES)), (10023, 'html', greeting(HTML)),
            (8891, 'badutf8', greeting(BAD_UTF8)), (8893, 'drip', drip), (10032, 'banner-reset', greet_and_reset),
            (12525, 'slow-policy', slow_policy)):
        h.call(name, serve, port, talk)


@host('empty')
def empty(_):
    """Every port is closed."""
