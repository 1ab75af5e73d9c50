//! The local page of `watch`, and pages that `plot` writes: whom they answer, which files they show, and that nothing in a journal becomes a
//! part of the page. A journal is what somebody else may have sent.

use crate::door::{Draw, program, run_within};
use crate::scratch::Folder;
use crate::tally::Tally;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(30);
/// What stands in no file that may be shown.
const SECRET: &str = "b7secretb7";
/// What would become markup, a script, an attribute or a header if it were not escaped.
const HOSTILE: [&str; 5] = [
    "<b7q onload=alert(1)>",
    "\" onb7q=\"alert(1)",
    "' onb7q='alert(1)",
    "</title></style></svg><script>b7q()</script>",
    "\r\nSet-Cookie: b7q=1\r\n\r\n<b7q>",
];
/// How these look where they are harmful.
const HARMFUL: [&str; 4] = ["<b7q", "\" onb7q=", "' onb7q='", "<script"];

/// The page of a folder; it ends with its test.
struct Server {
    child: Child,
    /// Address and port.
    place: String,
    /// The token with its slash, where there is one.
    token: String,
}

impl Server {
    fn new(folder: &Path, args: &[&str]) -> Self {
        let mut command = program(folder, &[&["watch", "--port", "0"][..], args].concat());
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.split("http://").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap_or_default();
        let (place, token) = address.split_once('/').unwrap_or((address, ""));
        Server { child, place: place.replace("0.0.0.0", "127.0.0.1"), token: token.to_owned() }
    }

    /// Sends bytes and returns all that comes back.
    fn send(&self, bytes: &[u8]) -> Result<String, String> {
        let mut stream = TcpStream::connect(&self.place).map_err(|why| format!("it does not listen: {why}"))?;
        let begin = Instant::now();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // What is too long is cut off before it is all sent.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Err(_) if begin.elapsed() >= PATIENCE => Err(format!("no end of the answer within {PATIENCE:?}")),
            // It may have been cut off.
            _ => Ok(String::from_utf8_lossy(&answer).into_owned()),
        }
    }

    fn get(&self, path: &str, host: &str) -> Result<String, String> {
        self.send(format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A journal of a short run.
fn journal(folder: &Path, name: &str) -> Vec<u8> {
    let args = ["minimize", "-q", "sphere", "-m", "de", "-n", "60", "--record", name];
    run_within(60, program(folder, &args)).unwrap();
    std::fs::read(folder.join(name)).unwrap()
}

/// Whether every answer forbids what a page of ours never needs.
fn is_guarded(answer: &str) -> Result<(), String> {
    let head = answer.split("\r\n\r\n").next().unwrap_or_default();
    let wanted =
        ["default-src 'none'", "frame-ancestors 'none'", "nosniff", "no-store", "no-referrer", "Connection: close"];
    match wanted.iter().find(|wanted| !head.contains(**wanted)) {
        _ if head.contains("Set-Cookie") => Err(format!("a header of somebody else's: {head}")),
        Some(missing) => Err(format!("no {missing} in {head}")),
        None => Ok(()),
    }
}

/// Paths that lead elsewhere, from random pieces.
pub fn paths(scale: u64, seed: u64) -> Tally {
    let mut tally = Tally::new("page: paths");
    let (folder, outside) = (Folder::new("paths"), Folder::new("secret"));
    journal(folder.as_ref(), "run.jsonl");
    journal(outside.as_ref(), SECRET);
    for place in [folder.path("secret.txt"), outside.path("secret.txt")] {
        std::fs::write(place, SECRET).unwrap();
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(outside.path(SECRET), folder.path("link.jsonl")).unwrap();
        let _ = std::process::Command::new("mkfifo").arg(folder.path("pipe.jsonl")).status();
    }
    std::fs::create_dir(folder.path("run")).unwrap();
    let server = Server::new(folder.as_ref(), &[]);
    let other = outside.as_ref().file_name().unwrap().to_str().unwrap().to_owned();
    let mut draw = Draw(seed);
    let pieces = [
        "run",
        "run.jsonl",
        "secret.txt",
        "link.jsonl",
        "pipe.jsonl",
        "..",
        ".",
        "",
        "%2e%2e",
        "%2E.",
        "..%2f",
        "%2f",
        "%5c",
        "\\",
        "etc",
        "passwd",
        "%00",
        "run.jsonl%00",
        "%252e%252e",
        "..;",
        "~",
        "C:",
        SECRET,
        &other,
        "?x",
        "#",
        "%ff",
        "%",
        "%0d%0aSet-Cookie:b7q",
        "proc",
        "self",
        "environ",
        "file:",
        " ",
        "\t",
        "é",
    ];
    for _ in 0..300 * scale {
        let words: Vec<&str> = (0..draw.below(7)).map(|_| draw.of(&pieces)).collect();
        let path = words.join(if draw.below(5) == 0 { "" } else { "/" });
        let outcome = server.get(&path, "localhost").and_then(|answer| {
            let plain = path.split(['?', '#']).next().unwrap_or_default();
            let status = answer.get(9..12).unwrap_or_default();
            let shown = plain.is_empty() || plain == "run/run.jsonl";
            match (status, shown) {
                ("200", true) | ("400" | "403" | "404", false) if !answer.contains(SECRET) => is_guarded(&answer),
                _ => Err(format!("{:.200}", answer)),
            }
        });
        tally.case(outcome.map_err(|why| format!("/{path}: {why}")));
    }
    tally
}

/// Requests that are none, strangers, and those who hold the door.
pub fn requests(scale: u64, seed: u64) -> Tally {
    let mut tally = Tally::new("page: requests and hosts");
    let folder = Folder::new("requests");
    journal(folder.as_ref(), "run.jsonl");
    let server = Server::new(folder.as_ref(), &[]);
    let mut refuse = |what: &str, answer: Result<String, String>| {
        let outcome = answer.and_then(|answer| match answer.starts_with("HTTP/1.1 4") || answer.is_empty() {
            true if !answer.contains("run.jsonl") => Ok(()),
            _ => Err(format!("{answer:.100}")),
        });
        tally.case(outcome.map_err(|why| format!("{what:?}: {why}")));
    };
    let port = server.place.rsplit(':').next().unwrap().to_owned();
    for host in [
        "evil.example",
        "evil.example:PORT",
        "127.0.0.1.evil.example",
        "localhost.evil.example:PORT",
        "",
        "localhost@evil.example",
        "localhost:PORT@evil.example",
        "0.0.0.0:PORT",
        "[::]:PORT",
        "127.0.0.1:PORT:1",
        "localhost, evil.example",
        "127.1",
        "2130706433",
        "0x7f000001",
        "rebind.127.0.0.1.nip.io",
        "[::ffff:127.0.0.1]",
        "localhost\r\nHost: evil.example",
        "evil.example\r\nHost: localhost",
    ] {
        let host = host.replace("PORT", &port);
        refuse(&host, server.get("", &host));
        refuse(&host, server.get("run/run.jsonl", &host));
    }
    for (method, rest) in
        [("POST", ""), ("PUT", ""), ("OPTIONS", ""), ("TRACE", ""), ("CONNECT", ""), ("get", ""), ("", " x")]
    {
        let request = format!("{method} / HTTP/1.1\r\nHost: localhost\r\n{rest}\r\n");
        refuse(&request, server.send(request.as_bytes()));
    }
    for request in [
        "GET http://localhost/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET * HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "\r\n\r\n",
        "GET",
        "",
    ] {
        // What has no end of its lines is waited for.
        let whole = if request.ends_with("\r\n\r\n") { request.to_owned() } else { format!("{request}\r\n\r\n") };
        refuse(&whole, server.send(whole.as_bytes()));
    }
    let mut draw = Draw(seed);
    for _ in 0..50 * scale {
        let bytes: Vec<u8> = (0..draw.below(3000)).map(|_| draw.below(256) as u8).collect();
        refuse("random bytes", server.send(&[&bytes[..], b"\r\n\r\n"].concat()));
    }
    refuse(
        "long lines",
        server.send(format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(100_000)).as_bytes()),
    );
    refuse(
        "many lines",
        server.send(
            &[b"GET / HTTP/1.1\r\n".to_vec(), b"A: b\r\n".repeat(5000), b"Host: localhost\r\n\r\n".to_vec()].concat(),
        ),
    );
    // Those who connect and say nothing do not keep others away for long.
    let silent: Vec<TcpStream> = (0..100).filter_map(|_| TcpStream::connect(&server.place).ok()).collect();
    let begin = Instant::now();
    let answered = loop {
        let answer = server.get("", "localhost").unwrap_or_default();
        if answer.starts_with("HTTP/1.1 200") || begin.elapsed() > Duration::from_secs(15) {
            break answer;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    drop(silent);
    tally.case(if answered.contains("run.jsonl") {
        Ok(())
    } else {
        Err("a hundred silent connections keep the page away")
    });
    // Other machines need the token, whatever they call this one.
    let server = Server::new(folder.as_ref(), &["--address", "0.0.0.0"]);
    let token = server.token.trim_end_matches('/').to_owned();
    tally.case(if token.len() >= 32 { Ok(()) } else { Err(format!("the token '{token}'")) });
    let (half, other) = (&token[..token.len() / 2], token.chars().rev().collect::<String>());
    for path in [
        "",
        "run/run.jsonl",
        half,
        &format!("{half}/"),
        &format!("{other}/"),
        &format!("{token}x/"),
        &format!("x/{token}/"),
        &format!("?{token}/"),
    ] {
        let answer = server.get(path, "localhost").unwrap_or_default();
        tally.case(if answer.starts_with("HTTP/1.1 403") { Ok(()) } else { Err(format!("/{path}: {answer:.100}")) });
    }
    for path in ["", "run/run.jsonl"] {
        let answer = server.get(&format!("{token}/{path}"), "whoever").unwrap_or_default();
        tally.case(if answer.starts_with("HTTP/1.1 200") {
            is_guarded(&answer)
        } else {
            Err(format!("{answer:.100}"))
        });
    }
    tally
}

/// A journal of these lines, whose checksums are as they must be.
fn sealed(lines: &[Value]) -> Vec<u8> {
    let (mut text, mut last) = (Vec::new(), 0);
    for line in lines {
        // The kind stands first in every line, and the program second in the first.
        let mut members = String::new();
        let first = ["kind", "program"].into_iter().filter(|name| line.get(name).is_some());
        let rest = line
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str())
            .filter(|name| !["kind", "program", "crc"].contains(name));
        for name in first.chain(rest) {
            members += &format!("{}{}:{}", if members.is_empty() { "{" } else { "," }, Value::from(name), line[name]);
        }
        let mut crc = crc32fast::Hasher::new_with_initial(last);
        crc.update(members.as_bytes());
        last = crc.finalize();
        text.extend(format!("{members},\"crc\":\"{last:08x}\"}}\n").bytes());
    }
    text
}

/// Puts something hostile in the place of texts, names of members and numbers.
fn poison(value: &mut Value, draw: &mut Draw, odds: usize) {
    let hostile = HOSTILE[draw.below(HOSTILE.len())];
    match value {
        Value::Object(members) => {
            let names: Vec<String> = members.keys().cloned().collect();
            for name in names {
                if ["kind", "program", "format", "digest"].contains(&name.as_str()) {
                    continue;
                }
                let Some(mut member) = members.remove(&name) else { continue };
                poison(&mut member, draw, odds);
                let renamed = draw.below(8 * odds) == 0;
                members.insert(if renamed { format!("{name}{hostile}") } else { name }, member);
            }
        }
        Value::Array(members) => members.iter_mut().for_each(|member| poison(member, draw, 4 * odds)),
        Value::String(text) if draw.below(odds) == 0 => {
            *text = if draw.below(2) == 0 { hostile.into() } else { format!("{text}{hostile}") }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) if draw.below(8 * odds) == 0 => *value = hostile.into(),
        Value::Number(_) if draw.below(8 * odds) == 0 => {
            *value = [
                serde_json::json!(1e308),
                serde_json::json!(-1e308),
                serde_json::json!(5e-324),
                serde_json::json!("nan"),
                serde_json::json!("inf"),
            ][draw.below(5)]
            .clone();
        }
        _ => {}
    }
}

/// Puts something hostile only where a journal stays readable: what it says of the study and of the result, names, words, and why a point failed.
fn poison_texts(line: &mut Value, draw: &mut Draw, names: &str) {
    let kind = line["kind"].as_str().unwrap_or_default().to_owned();
    if kind == "result" || kind == "note" {
        return poison(line, draw, 2);
    }
    let renamed = |members: &mut Value| {
        if let Value::Object(members) = members {
            *members = std::mem::take(members).into_iter().map(|(name, value)| (name + names, value)).collect();
        }
    };
    match kind.as_str() {
        "header" => {
            for text in ["problem", "method", "gradient", "outside"] {
                if line["study"].get(text).is_some() && draw.below(2) == 0 {
                    line["study"][text] =
                        format!("{}{}", line["study"][text], HOSTILE[draw.below(HOSTILE.len())]).into();
                }
            }
            if let Some(Value::String(command)) = line["study"].pointer_mut("/program/command") {
                *command += HOSTILE[draw.below(HOSTILE.len())];
            }
            for name in line.get_mut("names").and_then(Value::as_array_mut).into_iter().flatten() {
                *name = format!("{}{names}", name.as_str().unwrap_or_default()).into();
            }
        }
        _ => {
            renamed(&mut line["x"]);
            for word in line["x"].as_object_mut().into_iter().flat_map(|members| members.values_mut()) {
                if word.is_string() {
                    *word = HOSTILE[draw.below(HOSTILE.len())].into();
                }
            }
            if line.get("text").is_some() {
                line["text"] = HOSTILE[draw.below(HOSTILE.len())].into();
            }
        }
    }
}

fn is_harmless(page: &str) -> Result<(), String> {
    // What the style of pages itself says is not meant.
    match HARMFUL.iter().find_map(|harm| page.find(harm)) {
        Some(at) => {
            let (from, to) =
                (page.floor_char_boundary(at.saturating_sub(100)), page.ceil_char_boundary((at + 100).min(page.len())));
            Err(format!("unescaped: ..{}..", &page[from..to]))
        }
        None => Ok(()),
    }
}

/// Journals with markup in their texts, whose checksums are right; and journals that are damaged.
pub fn journals(scale: u64, seed: u64) -> Tally {
    let mut tally = Tally::new("page: what a journal holds");
    let mut draw = Draw(seed);
    let folder = Folder::new("journals");
    let make = |name: &str, args: &[&str]| {
        run_within(60, program(folder.as_ref(), &[args, &["-q", "--record", name]].concat())).unwrap();
        let text = std::fs::read_to_string(folder.path(name)).unwrap();
        std::fs::remove_file(folder.path(name)).unwrap();
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>()
    };
    let script = "while read -r l; do k=$((k+1)); [ $((k%3)) = 0 ] && echo '{\"error\": \"no mesh\"}' || echo $k; done";
    let kinds = [
        make("a", &["minimize", "sphere", "-d", "3", "-m", "de", "-n", "60"]),
        make(
            "b",
            &[
                "minimize",
                "--exec",
                script,
                "--var",
                "act=choice:relu,tanh",
                "--var",
                "lr=log:1e-5:1",
                "--var",
                "n=int:1:9",
                "-n",
                "30",
            ],
        ),
        make("c", &["minimize", "zdt1", "-d", "3", "-n", "100"]),
        make(
            "d",
            &[
                "minimize",
                "rosenbrock",
                "-d",
                "2",
                "--constraint",
                "mass: a + b <= 1",
                "--bounds",
                "a=0:1,b=0:1",
                "-n",
                "50",
                "--constraint",
                "a <= 0.5",
            ],
        ),
    ];
    let kinds: Vec<_> = kinds.into_iter().filter(|lines| lines.len() > 10).collect();
    let server = Server::new(folder.as_ref(), &[]);
    let mut drawn = 0;
    for k in 0..24 * scale {
        let mut lines = kinds[draw.below(kinds.len())].clone();
        let readable = draw.below(3) > 0;
        let (odds, names) = ([2, 6, 20][draw.below(3)], HOSTILE[draw.below(HOSTILE.len())]);
        lines.iter_mut().for_each(|line| match readable {
            true => poison_texts(line, &mut draw, names),
            false => poison(line, &mut draw, odds),
        });
        let mut bytes = sealed(&lines);
        if !readable && draw.below(4) == 0 {
            // Damaged at any place, or cut off.
            let at = draw.below(bytes.len());
            match draw.below(2) {
                0 => bytes.truncate(at),
                _ => bytes[at] = draw.below(256) as u8,
            }
        }
        let name =
            if draw.below(3) == 0 { format!("{k}<b7q onload='x'>\" onb7q=\".jsonl") } else { format!("{k}.jsonl") };
        std::fs::write(folder.path(&name), &bytes).unwrap();
        let link: String = name.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let outcome = server.get(&format!("run/{link}"), "localhost").and_then(|page| {
            match page.starts_with("HTTP/1.1 200") || page.starts_with("HTTP/1.1 404") {
                true => is_harmless(&page).and_then(|()| is_guarded(&page)),
                false => Err(format!("{page:.100}")),
            }
        });
        let outcome = outcome.and_then(|()| is_harmless(&server.get("", "localhost")?));
        // The same as a file.
        let outcome = outcome.and_then(|()| {
            let done = run_within(60, program(folder.as_ref(), &["plot", &format!("./{name}"), "-o", "page.html"]))?;
            match std::fs::read_to_string(folder.path("page.html")) {
                Ok(page) => {
                    drawn += 1;
                    std::fs::remove_file(folder.path("page.html"))
                        .map_err(|why| why.to_string())
                        .and(is_harmless(&page))
                }
                Err(_) if [Some(1), Some(2)].contains(&done.code) => Ok(()),
                Err(why) => Err(format!("plot: {why}: {}", done.said())),
            }
        });
        std::fs::remove_file(folder.path(&name)).unwrap();
        tally.case(outcome.map_err(|why| format!("journal {k} of seed {seed}: {why}")));
    }
    // What is only refused tests no page.
    tally.case(if drawn > 6 * scale { Ok(()) } else { Err(format!("only {drawn} journals had a page")) });
    tally
}

/// Journals of many lines.
pub fn lengths(scale: u64, _seed: u64) -> Tally {
    let mut tally = Tally::new("page: long journals");
    let folder = Folder::new("lengths");
    let n = (10_000 * scale).min(100_000).to_string();
    let outcome = (|| {
        let args =
            ["minimize", "-q", "rastrigin", "-d", "5", "-m", "random_search", "-n", &n, "--record", "long.jsonl"];
        run_within(300, program(folder.as_ref(), &args))?;
        let server = Server::new(folder.as_ref(), &[]);
        let begin = Instant::now();
        let page = server.get("run/long.jsonl", "localhost")?;
        let took = begin.elapsed();
        match page.contains("</html>") && page.len() < 8_000_000 && took < Duration::from_secs(20) {
            true => Ok(()),
            false => Err(format!("{n} lines: {} bytes after {took:?}: {page:.300}", page.len())),
        }
    })();
    tally.case(outcome);
    tally
}

#[test]
fn no_path_leads_out_of_the_folder() {
    paths(1, 1).hold();
}

#[test]
fn strangers_and_rubbish_are_refused() {
    requests(1, 1).hold();
}

#[test]
fn nothing_in_a_journal_becomes_a_part_of_the_page() {
    journals(1, 1).hold();
}

#[test]
fn long_journals_have_pages() {
    lengths(1, 1).hold();
}
