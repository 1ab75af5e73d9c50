//! `watch`: what its pages show, and whom it answers.

use crate::browser::Browser;
use crate::harness::{Folder, good, program, run, wrong};
use resvg::tiny_skia::Pixmap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Child;

/// A server that is ended with its test, and the address it has said.
struct Server(Child, String);

impl Server {
    fn new(args: &[&str]) -> Self {
        let mut child = program(&[&["watch", "--port", "0"][..], args].concat()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.split("http://").nth(1).unwrap_or_else(|| panic!("{line}"));
        Server(child, address.split_whitespace().next().unwrap().to_owned())
    }

    /// Sends lines and reads all that comes back.
    fn send(&self, lines: &str) -> String {
        let place = self.1.split('/').next().unwrap().replace("0.0.0.0", "127.0.0.1");
        let mut stream = TcpStream::connect(place).unwrap();
        // What is too long is cut off before it is all sent.
        let _ = stream.write_all(lines.as_bytes());
        let mut text = String::new();
        let _ = stream.read_to_string(&mut text);
        text
    }

    fn get(&self, path: &str) -> String {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: localhost:1\r\n\r\n"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn journals_are_listed_and_shown_and_nothing_else_is() {
    let folder = Folder::new("watch");
    let args = ["minimize", "-q", "sphere", "-m", "de", "-n", "200", "--record"];
    for name in ["a b<i>.jsonl", "part.jsonl"] {
        good(&[&args[..], &[&folder.path(name)]].concat());
    }
    // One that has not ended, one that is no journal, and one that is somewhere else.
    let whole = folder.read("part.jsonl");
    let lines: Vec<&str> = whole.lines().collect();
    folder.write("part.jsonl", &(lines[..120].join("\n") + "\n"));
    folder.write("secret.txt", "secret");
    let outside = Folder::new("watch-outside");
    good(&[&args[..], &[&outside.path("other.jsonl")]].concat());
    #[cfg(unix)]
    std::os::unix::fs::symlink(outside.path("other.jsonl"), folder.path("link.jsonl")).unwrap();
    let server = Server::new(&[folder.0.to_str().unwrap()]);
    let list = server.get("/");
    assert!(list.starts_with("HTTP/1.1 200 OK\r\n") && list.contains("\r\nRefresh: 5\r\n"), "{list}");
    for header in ["default-src 'none'", "frame-ancestors 'none'", "nosniff", "no-store", "no-referrer"] {
        assert!(list.contains(header), "{header}");
    }
    assert!(list.contains("run/a%20b%3Ci%3E.jsonl") && list.contains("a b&lt;i&gt;.jsonl") && !list.contains("<i>"));
    assert!(list.contains("no result yet") && list.contains("evaluations spent"), "{list}");
    assert!(!list.contains("link.jsonl") && !list.contains("secret"));
    let page = server.get("/run/part.jsonl");
    assert!(
        page.contains("<title>sphere: de</title>")
            && page.contains("\r\nRefresh: 5\r\n")
            && page.contains("<dd>119</dd>")
    );
    // It goes on: what is new is seen.
    folder.write("part.jsonl", &whole);
    let page = server.get("/run/part.jsonl?again");
    assert!(page.contains("200 of 200") && !page.contains("Refresh"));
    assert!(server.get("/run/a%20b%3Ci%3E.jsonl").contains("200 of 200"));
    for path in [
        "/secret.txt",
        "/run/secret.txt",
        "/run/link.jsonl",
        "/run/",
        "/run/../run/part.jsonl",
        "/run/%2e%2e/part.jsonl",
        "/../part.jsonl",
        "//etc/passwd",
        "/run//etc/passwd",
        "/run/./part.jsonl",
    ] {
        assert!(server.get(path).starts_with("HTTP/1.1 404"), "{path}");
    }
    let stranger = server.send("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n");
    assert!(stranger.starts_with("HTTP/1.1 403") && !stranger.contains("jsonl"), "{stranger}");
    assert!(server.send("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n").starts_with("HTTP/1.1 405"));
    assert!(server.send(&format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(20_000))).is_empty());
    let head = server.send("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200") && !head.contains("<html"));
}

#[test]
fn other_machines_need_the_token() {
    let folder = Folder::new("watch-token");
    let server = Server::new(&["--address", "0.0.0.0", folder.0.to_str().unwrap()]);
    let token = server.1.split('/').nth(1).unwrap();
    assert_eq!(token.len(), 32, "{}", server.1);
    assert!(server.get(&format!("/{token}/")).contains("No journal is here yet"));
    for path in ["/", "/run/x", "/0000/"] {
        assert!(server.get(path).starts_with("HTTP/1.1 403"), "{path}");
    }
    assert!(wrong(&["watch", &folder.path("missing")]).contains("No such file"));
    assert_eq!(run(&["watch", "--port", "70000"]).code, Some(2));
}

/// As people see it: a run of a million evaluations, one that failed often and goes on, and a journal that somebody made to do harm.
#[test]
fn pages_in_a_browser_show_large_running_and_hostile_journals() {
    let Some(browser) = Browser::find() else { return };
    let folder = Folder::new("watch-browser");
    let large = ["minimize", "-q", "sphere", "-m", "de(particles=1000)", "-d", "3", "-n", "1000000", "--record"];
    good(&[&large[..], &[&folder.path("large.jsonl")]].concat());
    let program = "while read -r line; do n=$((n + 1)); if [ $((n % 3)) = 0 ]; then echo oops; else echo $n; fi; done";
    let own = ["minimize", "-q", "-b", "a=-5:5,b=1e-5:1", "-m", "de", "-n", "60", "-e", program, "--record"];
    good(&[&own[..], &[&folder.path("going.jsonl")]].concat());
    let whole = folder.read("going.jsonl");
    let lines: Vec<&str> = whole.lines().filter(|line| !line.contains(r#""kind":"result""#)).collect();
    folder.write("going.jsonl", &(lines.join("\n") + "\n"));
    // Whoever can write a journal can write a checksum.
    let mut crc = 0;
    let mut hostile = String::new();
    for line in whole.lines() {
        let line = line.replace("\"a\"", "\"<img src=x onerror=document.title='taken'>\"");
        let body = &line[..line.rfind(",\"crc\":").unwrap()];
        let mut hasher = crc32fast::Hasher::new_with_initial(crc);
        hasher.update(body.as_bytes());
        crc = hasher.finalize();
        hostile += &format!("{body},\"crc\":\"{crc:08x}\"}}\n");
    }
    folder.write("hostile.jsonl", &hostile);
    let server = Server::new(&[folder.0.to_str().unwrap()]);
    let open = |path: &str| {
        // Before it loads itself again.
        let page = browser.open(&format!("http://{}{path}", server.1), &path.replace(['/', '.'], "-"), 1_000);
        assert_eq!(page.console, "", "{path}");
        page
    };

    let list = open("").document;
    assert!(["large.jsonl", "going.jsonl", "hostile.jsonl"].iter().all(|name| list.contains(name)), "{list}");
    assert!(list.contains("1,000,000") && list.contains("no result yet"), "{list}");

    let page = open("run/large.jsonl");
    assert!(page.document.contains("1,000,000 of 1,000,000") && page.document.contains("budget of evaluations spent"));
    assert!(page.document.len() < 1_000_000, "{} bytes", page.document.len());
    // The curve is on the screen: its colour, blue, fills more than its line in the legend.
    let picture = Pixmap::decode_png(&page.picture).unwrap();
    let blue = picture.pixels().iter().filter(|p| (p.red(), p.green(), p.blue()) == (0x00, 0x72, 0xb2)).count();
    assert!(blue > 500, "{blue} points");

    let page = open("run/going.jsonl").document;
    assert!(page.contains("20 of 60") && page.contains("oops"), "{page}");

    let page = open("run/hostile.jsonl").document;
    assert!(page.contains("&lt;img src=x") && !page.contains("<img") && !page.contains("<title>taken"), "{page}");
}
