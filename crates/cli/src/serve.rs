//! A server of pages for the browser of one person: HTTP/1.1, `GET` and `HEAD`, a page a connection.
//!
//! A page of another site must not reach it through that browser: without a token only requests that name this machine as their host are
//! answered, so that a name that is pointed here does not help; with a token only those that begin with it.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Bytes of a request that are read at most.
const LONGEST: usize = 1 << 13;
/// Connections at a time; more are turned away.
const MOST: usize = 32;
/// A request is there, or taken, within this time.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is looked whether to end.
const BEAT: Duration = Duration::from_millis(30);

/// What is sent back.
pub struct Answer {
    status: &'static str,
    body: String,
    refresh: Option<u64>,
}

impl Answer {
    /// A page that the browser asks for again after so many seconds.
    pub fn page(body: String, refresh: Option<u64>) -> Self {
        Answer { status: "200 OK", body, refresh }
    }

    /// There is no such page.
    pub fn missing() -> Self {
        Answer::refusal("404 Not Found")
    }

    fn refusal(status: &'static str) -> Self {
        Answer { status, body: format!("<!doctype html><title>{status}</title><p>{status}\n"), refresh: None }
    }
}

/// Answers until `end` is set. `answer` gets the path behind the first slash, and behind the token where there is one, decoded.
pub fn serve(
    listener: &TcpListener,
    token: Option<&str>,
    end: &AtomicBool,
    answer: &(dyn Fn(&str) -> Answer + Sync),
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let open = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        while !end.load(Relaxed) {
            let stream = match listener.accept() {
                Ok((stream, _)) => stream,
                // One connection that fails is not the end of all.
                Err(_) => {
                    std::thread::sleep(BEAT);
                    continue;
                }
            };
            if open.fetch_add(1, Relaxed) >= MOST {
                open.fetch_sub(1, Relaxed);
                continue;
            }
            let open = &open;
            scope.spawn(move || {
                // Whoever has gone away is not told anything.
                let _ = converse(stream, token, answer);
                open.fetch_sub(1, Relaxed);
            });
        }
    });
    Ok(())
}

fn converse(mut stream: TcpStream, token: Option<&str>, answer: &dyn Fn(&str) -> Answer) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let Some(head) = head(&mut stream)? else { return Ok(()) };
    let (answer, silent) = match request(&head, token) {
        Ok((path, silent)) => (answer(&path), silent),
        Err(refusal) => (refusal, false),
    };
    let refresh = answer.refresh.map_or(String::new(), |seconds| format!("Refresh: {seconds}\r\n"));
    let reply = format!(
        "HTTP/1.1 {}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n{refresh}\
         Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n",
        answer.status,
        answer.body.len()
    );
    stream.write_all(reply.as_bytes())?;
    if !silent {
        stream.write_all(answer.body.as_bytes())?;
    }
    stream.flush()
}

/// The lines before the empty one; none where they do not come in time or are too many.
fn head(stream: &mut TcpStream) -> io::Result<Option<String>> {
    let begin = Instant::now();
    let (mut head, mut bytes) = (Vec::new(), [0; 1024]);
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let left = PATIENCE.saturating_sub(begin.elapsed());
        if left.is_zero() || head.len() > LONGEST {
            return Ok(None);
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut bytes)? {
            0 => return Ok(None),
            n => head.extend(&bytes[..n]),
        }
    }
    Ok(Some(String::from_utf8_lossy(&head).into_owned()))
}

/// The path that is asked for, and whether only the head is.
fn request(head: &str, token: Option<&str>) -> Result<(String, bool), Answer> {
    let mut lines = head.split("\r\n");
    let bad = || Answer::refusal("400 Bad Request");
    let words: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    let [method, target, version] = words[..] else { return Err(bad()) };
    let silent = match method {
        _ if !version.starts_with("HTTP/1.") => return Err(bad()),
        "GET" => false,
        "HEAD" => true,
        _ => return Err(Answer::refusal("405 Method Not Allowed")),
    };
    let mut hosts = lines.filter_map(|line| line.split_once(':')).filter(|(name, _)| name.eq_ignore_ascii_case("host"));
    let host = hosts.next().map_or("", |(_, host)| host.trim());
    if hosts.next().is_some() {
        // Which of them is meant nobody knows.
        return Err(bad());
    }
    let path = target.split(['?', '#']).next().unwrap_or_default();
    let Some(path) = path.strip_prefix('/') else { return Err(bad()) };
    let rest = match token {
        None if is_here(host) => Some(path),
        None => return Err(Answer::refusal("403 Forbidden")),
        Some(token) => path.split_once('/').filter(|(given, _)| equal(given, token)).map(|(_, rest)| rest),
    };
    let rest = rest.ok_or_else(|| Answer::refusal("403 Forbidden"))?;
    Ok((decoded(rest).ok_or_else(bad)?, silent))
}

/// Whether a host is this machine, as it is called from itself.
fn is_here(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    ["127.0.0.1", "localhost", "[::1]"].contains(&name)
}

/// Compares in a time that does not tell where two texts differ.
fn equal(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |all, (a, b)| all | a ^ b) == 0
}

/// A path without its percent signs.
fn decoded(path: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::new(), path.as_bytes());
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            let code = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(code, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

/// A name as a part of a path.
pub fn encoded(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    name.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str, host: &str, token: Option<&str>) -> Result<String, &'static str> {
        let head = format!("{line}\r\nAccept: */*\r\nhost: {host}\r\n\r\n");
        request(&head, token).map(|(path, _)| path).map_err(|refusal| refusal.status)
    }

    #[test]
    fn only_this_machine_or_a_token_is_answered() {
        for host in ["127.0.0.1:80", "localhost", "[::1]:9", "localhost:1"] {
            assert_eq!(asked("GET /run/a%20b?x=1 HTTP/1.1", host, None), Ok("run/a b".into()), "{host}");
        }
        for host in ["evil.example", "127.0.0.1.evil.example:80", "", "localhost:80:evil"] {
            assert_eq!(asked("GET / HTTP/1.1", host, None), Err("403 Forbidden"), "{host}");
        }
        assert_eq!(asked("GET /secret/run/x HTTP/1.1", "anything", Some("secret")), Ok("run/x".into()));
        for path in ["/", "/run/x", "/secre/x", "/secretx/x", "/secret"] {
            assert_eq!(
                asked(&format!("GET {path} HTTP/1.1"), "localhost", Some("secret")),
                Err("403 Forbidden"),
                "{path}"
            );
        }
        assert_eq!(asked("POST / HTTP/1.1", "localhost", None), Err("405 Method Not Allowed"));
        assert_eq!(asked("GET / HTTP/1.1", "localhost\r\nHost: evil.example", None), Err("400 Bad Request"));
        for bad in [
            "GET %2 HTTP/1.1",
            "GET /%2 HTTP/1.1",
            "GET /%ff HTTP/1.1",
            "GET http://x/ HTTP/1.1",
            "GET /",
            "GET / /x HTTP/1.1",
            "",
        ] {
            assert!(asked(bad, "localhost", None).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_survive_their_way_through_a_path() {
        for name in ["run.jsonl", "a b/../ü?#%.jsonl", "..", "%2e%2e"] {
            assert_eq!(decoded(&encoded(name)).as_deref(), Some(name));
            assert!(!encoded(name).contains(['/', '?', '#', ' ']));
        }
    }
}
