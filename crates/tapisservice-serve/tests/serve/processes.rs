//! What needs a process of its own: signals, exit codes and file descriptors.
//!
//! The ignored tests here are those processes; the others start them, as `sh` sets their descriptor limit.

use std::{net::SocketAddr, process::Stdio, sync::Arc, time::Duration};

use tapisservice_serve::{Server, Shutdown};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    net::TcpStream,
    process::{Child, ChildStdout, Command},
    sync::Semaphore,
    time::{sleep, timeout},
};

use crate::helpers::{MOMENT, PATIENCE, TestServer, app, patient, patient_but};

const HALF: &[u8] = b"GET /hello HTTP/1.1\r\nHost: test\r\nX-A: ";

#[tokio::test]
#[ignore = "a process that the other tests start"]
async fn child_that_serves_until_a_signal() {
    let shutdown = Shutdown::on_signals().unwrap();
    let server = Server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    println!("\nlistening on {}", server.local_addr());
    let drained = shutdown.clone();
    tokio::spawn(async move {
        drained.draining().await;
        println!("\ndraining");
    });
    server.serve(app(Arc::new(Semaphore::new(0))), patient(), shutdown).await.unwrap();
}

#[tokio::test]
#[ignore = "a process that another test starts"]
async fn child_with_a_thousand_idle_connections() {
    let server = TestServer::start(patient_but(|limits| {
        limits.drain = Duration::ZERO;
    }))
    .await;
    let before = descriptors("self");
    let mut idle = Vec::new();
    for _ in 0..1000 {
        idle.push(server.connect().await);
    }
    server.wait_for(|stats| stats.open() == 1000).await;
    let mut good = server.connect().await;
    for _ in 0..50 {
        assert_eq!(good.get("/hello").await.status(), 200);
    }
    assert_eq!(server.connect().await.get("/hello").await.status(), 200);
    drop((idle, good));
    server.wait_for(|stats| stats.open() == 0).await;
    assert_eq!(descriptors("self"), before);
}

#[tokio::test]
async fn a_thousand_idle_connections_harm_nobody_and_leave_no_descriptor() {
    let mut child = start("child_with_a_thousand_idle_connections", "$(ulimit -Hn)");
    assert_eq!(exit_code(&mut child).await, Some(0));
}

#[tokio::test]
async fn a_signal_ends_the_process_in_good_order() {
    let (mut child, address, _output) = serving("$(ulimit -Hn)").await;
    let mut half = TcpStream::connect(address).await.unwrap();
    half.write_all(HALF).await.unwrap();
    let _silent = TcpStream::connect(address).await.unwrap();
    assert_eq!(hello(address).await, "HTTP/1.1 200 OK");

    signal(&child, "TERM").await;
    assert_eq!(exit_code(&mut child).await, Some(0));
}

#[tokio::test]
async fn each_signal_that_asks_for_it_shuts_down() {
    for name in ["INT", "QUIT"] {
        let (mut child, _, _output) = serving("$(ulimit -Hn)").await;
        signal(&child, name).await;
        assert_eq!(exit_code(&mut child).await, Some(0), "{name}");
    }
}

/// Their default is to end the process at once.
#[tokio::test]
async fn no_other_signal_ends_the_process() {
    let (mut child, address, _output) = serving("$(ulimit -Hn)").await;
    let others = ["HUP", "USR1", "USR2", "ALRM", "VTALRM", "PROF", "XCPU", "XFSZ", "PIPE"];
    let of_linux = ["IO", "PWR", "STKFLT", "34", "64"];
    for name in others.into_iter().chain(of_linux.into_iter().filter(|_| cfg!(target_os = "linux"))) {
        signal(&child, name).await;
        assert_eq!(hello(address).await, "HTTP/1.1 200 OK", "{name}");
    }
    assert_eq!(hello(address).await, "HTTP/1.1 200 OK");
    signal(&child, "TERM").await;
    assert_eq!(exit_code(&mut child).await, Some(0));
}

#[tokio::test]
async fn a_second_signal_exits_now() {
    for (name, code) in [("TERM", 143), ("INT", 130)] {
        let (mut child, address, mut output) = serving("$(ulimit -Hn)").await;
        let mut working = TcpStream::connect(address).await.unwrap();
        working.write_all(b"GET /gate HTTP/1.1\r\nHost: test\r\n\r\n").await.unwrap();
        assert_eq!(hello(address).await, "HTTP/1.1 200 OK");

        signal(&child, "TERM").await;
        line_with(&mut output, "draining").await;
        signal(&child, name).await;
        assert_eq!(exit_code(&mut child).await, Some(code));
    }
}

#[tokio::test]
async fn a_process_without_descriptors_neither_spins_nor_ends() {
    let (mut child, address, _output) = serving("48").await;
    let pid = child.id().unwrap().to_string();
    let before = descriptors(&pid);
    let mut hostile = Vec::new();
    for _ in 0..64 {
        let mut half = TcpStream::connect(address).await.unwrap();
        half.write_all(HALF).await.unwrap();
        hostile.push(half);
    }
    let full = async {
        while descriptors(&pid) < 48 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, full).await.expect("the descriptors run out");

    let used = cpu_ticks(&pid);
    sleep(3 * MOMENT).await;
    assert!(cpu_ticks(&pid) - used < 40, "the accept loop spins");
    assert!(child.try_wait().unwrap().is_none());

    drop(hostile);
    assert_eq!(hello(address).await, "HTTP/1.1 200 OK");
    let back = async {
        while descriptors(&pid) > before {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, back).await.expect("the descriptors return to the baseline");
}

/// Starts one of the ignored tests above as a process of its own.
fn start(test: &str, descriptors: &str) -> Child {
    Command::new("sh")
        .arg("-c")
        .arg(format!("ulimit -n {descriptors}; exec \"$0\" \"$@\""))
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", &format!("processes::{test}"), "--ignored", "--nocapture"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

async fn serving(descriptors: &str) -> (Child, SocketAddr, Lines<BufReader<ChildStdout>>) {
    let mut child = start("child_that_serves_until_a_signal", descriptors);
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = line_with(&mut output, "listening on ").await;
    let address = line.trim_start_matches("listening on ").parse().unwrap();
    (child, address, output)
}

async fn line_with(output: &mut Lines<BufReader<ChildStdout>>, start: &str) -> String {
    let reading = async {
        loop {
            let line = output.next_line().await.unwrap().expect("the process says so before it ends");
            if line.starts_with(start) {
                return line;
            }
        }
    };
    timeout(PATIENCE, reading).await.expect("the process says so in time")
}

async fn hello(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = b"GET /hello HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.expect("an answer in time").unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

async fn signal(child: &Child, name: &str) {
    let pid = child.id().expect("the process runs").to_string();
    assert!(Command::new("kill").args(["-s", name, &pid]).status().await.unwrap().success());
}

async fn exit_code(child: &mut Child) -> Option<i32> {
    timeout(2 * PATIENCE, child.wait()).await.expect("the process ends").unwrap().code()
}

fn descriptors(pid: &str) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

/// User and system time of the process, in hundredths of a second.
fn cpu_ticks(pid: &str) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}
