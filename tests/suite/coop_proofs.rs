//! Proofs of co-op claims: what is taken, what is refused, and who may see it.

use super::{
    calculation::{Story, text},
    coop_funds::{close, quarter},
};
use crate::support::{Answer, Client, World, proof_files::*};
use diesel::{ExpressionMethods, RunQueryDsl};
use partner_incentives::{
    app,
    operations::verify,
    platform::{
        objects::{ObjectKey, StoreAddress},
        values::{Id, Timestamp},
    },
    schema::coop_loose_objects as loose,
    slice::VerifyFinding,
    work::{JobName, Turn},
};
use prometheus::Registry;
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
};

const PDF: &str = "application/pdf";
const MOST: usize = 25 * 1024 * 1024;

/// A draft on a fund of 10,000.00.
pub struct Claiming<'w> {
    pub story: Story<'w>,
    pub viewer: Client,
    pub claim: String,
}

impl<'w> Claiming<'w> {
    pub fn begun(world: &'w World) -> Self {
        let story = quarter(world);
        world.on("2018-12-20");
        story.sale("1", "2018-12-10", "100000.00");
        close(&story, &["2018-12"], "2019-01-04");
        world.on("2019-02-20");
        let viewer = world.viewer_of(&story.partner);
        let claim = draft(&story, &viewer);
        Self { story, viewer, claim }
    }

    fn send(&self, media: &str, name: &str, bytes: &[u8]) -> Answer {
        send(&self.viewer, &self.claim, media, name, bytes)
    }

    fn proofs(&self) -> Vec<Value> {
        self.story.list(&format!("/v1/coop-claims/{}/proofs", self.claim))
    }
}

fn download(client: &Client, proof: &str) -> Answer {
    client.get(&format!("/v1/coop-proofs/{proof}/content")).send()
}

fn draft(story: &Story<'_>, client: &Client) -> String {
    let fund = text(&story.list(&format!("/v1/coop-funds?partner_id={}", story.partner))[0]["id"]);
    let new = json!({
        "fund_id": fund, "activity": "customer-seminar", "activity_from": "2019-02-01",
        "activity_to": "2019-02-01", "description": "Seminar on cloud backup", "expenses": []
    });
    client.post("/v1/coop-claims", new).send().ok().id()
}

pub fn send(client: &Client, claim: &str, media: &str, name: &str, bytes: &[u8]) -> Answer {
    let asked = client.ask("POST", &format!("/v1/coop-claims/{claim}/proofs"));
    asked.query("kind", "photo").query("name", name).bytes(media, bytes).send()
}

/// The files in the store of a world.
pub fn kept(world: &World) -> Vec<PathBuf> {
    fn walk(folder: &Path) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
    }
    let StoreAddress::Folder(folder) = world.service.settings.proof_store() else { panic!("a bucket") };
    walk(&folder)
}

/// An object as an upload leaves it where the process dies before the row is written.
pub fn left_over(world: &World, partner: &str, since: Timestamp) {
    let key = ObjectKey { folder: partner.parse().unwrap(), id: world.ids.next(world.clock.now()) };
    let row = (loose::partner_id.eq(key.folder), loose::id.eq(key.id), loose::since.eq(since));
    let note = move |conn: &mut _| Ok(diesel::insert_into(loose::table).values(row).execute(conn)?);
    world.service.db.write(note).unwrap();
    world.service.app.objects().put(key, &b"left over"[..], 100).unwrap();
}

fn sweep(world: &World) {
    // The world's own engine may be at the sweep: its end is waited for.
    let engine = world.service.engine(&Registry::new()).unwrap();
    engine.run_now(JobName::CoopProofSweep).unwrap();
}

#[test]
fn a_proof_is_kept_as_it_came_given_back_for_saving_and_removed_with_its_file() {
    let world = World::new();
    let claiming = Claiming::begun(&world);
    let bytes = png(640, 480);
    let made = claiming.send("image/png; x=y", "../../Übersicht \"Seminar\".jpeg", &bytes).ok();
    assert_eq!(made.status, 201);
    assert_eq!(
        (&made["name"], &made["media_type"], &made["bytes"], &made["kind"]),
        (&json!("Übersicht _Seminar_.png"), &json!("image/png"), &json!(bytes.len()), &json!("photo"))
    );
    let location = made.header("location").unwrap().to_owned();
    assert_eq!(location, format!("/v1/coop-proofs/{}/content", made.id()));
    let me = claiming.viewer.get("/v1/me").send().ok().id();
    assert_eq!((&made["uploaded_by"], &made["claim_id"]), (&json!(me), &json!(claiming.claim)));
    assert_eq!(claiming.proofs(), std::slice::from_ref(&made.body));

    let operator = world.operator();
    for client in [&claiming.viewer, &operator, &world.auditor()] {
        let given = client.get(&location).send().ok();
        assert_eq!((given.status, given.bytes == bytes), (200, true));
        assert_eq!(given.header("content-type"), Some("image/png"));
        assert_eq!(
            given.header("content-disposition"),
            Some(
                "attachment; filename=\"_bersicht _Seminar_.png\"; filename*=UTF-8''%C3%9Cbersicht%20_Seminar_.png"
            )
        );
        assert_eq!(given.header("x-content-type-options"), Some("nosniff"));
        assert!(given.header("content-security-policy").unwrap().ends_with("; sandbox"));
        assert_eq!(given.etag(), format!("\"{}\"", text(&made["sha256"])));
        let again = client.get(&location).header("if-none-match", &given.etag()).send();
        assert_eq!(again.status, 304);
    }
    let read = format!("/v1/audit-events?operation=getCoopProofContent&resource_id={}", made.id());
    assert_eq!(claiming.story.list(&read).len(), 6);

    let claim = claiming.viewer.get(&format!("/v1/coop-claims/{}", claiming.claim)).send().ok();
    let steps = claim["history"].as_array().unwrap();
    assert_eq!((&steps[1]["step"], &steps[1]["words"]), (&json!("proof"), &made["name"]));
    let path = format!("/v1/coop-proofs/{}", made.id());
    assert_eq!(operator.delete(&path).send().status, 403);
    assert_eq!(claiming.viewer.delete(&path).send().status, 204);
    assert_eq!(claiming.viewer.delete(&path).send().status, 404);
    assert_eq!(download(&operator, &made.id()).status, 404);
    assert!(claiming.proofs().is_empty());

    // The file goes when it has had no row for a day; that of another proof stays.
    let other = claiming.send("image/png", "other.png", &png(2, 2)).ok();
    assert_eq!(kept(&world).len(), 2);
    sweep(&world);
    assert_eq!(kept(&world).len(), 2, "a row may still be on its way");
    world.on("2019-02-22");
    sweep(&world);
    assert_eq!(kept(&world).len(), 1);
    assert_eq!(download(&operator, &other.id()).ok().bytes, png(2, 2));
    claiming.story.verify();
}

#[test]
fn files_that_lie_act_or_cannot_be_checked_are_refused_and_nothing_stays() {
    let world = World::new();
    let claiming = Claiming::begun(&world);
    let script = pdf(&["<</S/J#61vaScript/JS(app.alert\\(1\\))>>"]);
    let packed_script = pdf_of(&[object_stream(&["<</S/JavaScript/JS(1)>>"])], "");
    let bomb = png_of(16, 16, &vec![0; 2 << 20]);
    for (media, bytes, reason) in [
        (PDF, png(2, 2), "other_media"),
        ("image/png", jpeg(2, 2), "other_media"),
        ("image/jpeg", b"<script>alert(1)</script>".to_vec(), "other_media"),
        (PDF, [b"GIF89a", &pdf(&[])[..]].concat(), "other_media"),
        (PDF, Vec::new(), "other_media"),
        (PDF, script, "active"),
        (PDF, packed_script, "active"),
        (PDF, pdf_of(&[], "/Encrypt 9 0 R"), "encrypted"),
        (PDF, pdf(&[])[..100].to_vec(), "damaged"),
        ("image/png", [&png(2, 2)[..], b"PK\x03\x04"].concat(), "damaged"),
        ("image/png", png_of(50_000, 50_000, &[0; 100]), "too_many_pixels"),
        ("image/png", bomb, "too_many_pixels"),
    ] {
        let refused = claiming.send(media, "a.pdf", &bytes).refused(422, "coop_proof_refused");
        assert_eq!(refused["reason"], reason, "{refused}");
    }
    let in_japanese = claiming.viewer.ask("POST", &format!("/v1/coop-claims/{}/proofs", claiming.claim));
    let in_japanese = in_japanese.query("kind", "photo").query("name", "a").header("accept-language", "ja");
    let told =
        in_japanese.bytes(PDF, pdf_of(&[], "/Encrypt 9 0 R")).send().refused(422, "coop_proof_refused");
    assert!(text(&told["detail"]).contains("暗号化"), "{told}");
    claiming.send("text/html", "a.html", b"<p>").refused(415, "unsupported_media_type");
    claiming.send("application/octet-stream", "a.pdf", &pdf(&[])).refused(415, "unsupported_media_type");
    assert!(claiming.proofs().is_empty());
    assert_eq!(kept(&world), Vec::<PathBuf>::new());
}

#[test]
fn names_are_made_safe() {
    let world = World::new();
    let claiming = Claiming::begun(&world);
    let emoji = "😀".repeat(63) + ".pdf";
    let cases =
        [("../../x.pdf", "x.pdf"), ("C:\\dir\\con.pdf", "_con.pdf"), ("a\u{202e}fdp.exe", "afdp.exe.pdf")];
    for (n, (told, safe)) in (0..).zip(cases) {
        let made = claiming.send(PDF, told, &pdf(&[&format!("{n}")])).ok();
        assert_eq!(made["name"], safe);
    }
    let made = claiming.send(PDF, &emoji, &pdf(&["9"])).ok();
    let name = text(&made["name"]);
    assert!(name.len() <= 255 && name.starts_with("😀😀") && name.ends_with("😀.pdf"), "{name}");
    assert_eq!(download(&claiming.viewer, &made.id()).ok().bytes, pdf(&["9"]));
    claiming.send(PDF, &"a".repeat(256), &pdf(&["10"])).refused(422, "invalid");
}

#[test]
fn a_file_is_sent_once_for_a_purpose_and_a_claim_has_twenty() {
    let world = World::new();
    let claiming = Claiming::begun(&world);
    let first = claiming.send(PDF, "first.pdf", &pdf(&[])).ok().id();
    let again = claiming.send(PDF, "again.pdf", &pdf(&[])).refused(409, "coop_proof_known");
    assert_eq!(again["proof_id"], first);
    let path = format!("/v1/coop-claims/{}/proofs", claiming.claim);
    let of_kind = |kind: &str| claiming.viewer.ask("POST", &path).query("kind", kind).query("name", "a");
    of_kind("agenda").bytes(PDF, pdf(&[])).send().ok();
    of_kind("web_address").bytes(PDF, pdf(&[])).send().refused(422, "invalid");
    of_kind("selfie").bytes(PDF, pdf(&[])).send().refused(400, "unknown_parameter");
    claiming.viewer.ask("POST", &path).query("name", "a").bytes(PDF, pdf(&[])).send().refused(422, "invalid");
    let nameless =
        claiming.viewer.ask("POST", &path).query("kind", "photo").bytes(PDF, pdf(&["2"])).send().ok();
    assert_eq!(nameless["name"], "photo.pdf", "a file without a name is called by its kind");
    let unknown = of_kind("photo").query("expense_id", &first).bytes(PDF, pdf(&["3"]));
    unknown.send().refused(422, "invalid");
    for n in 3..20 {
        claiming.send(PDF, &format!("{n}.pdf"), &pdf(&[&format!("{n}")])).ok();
    }
    claiming.send(PDF, "21.pdf", &pdf(&["21"])).refused(409, "too_many_coop_proofs");
    let listed = claiming.viewer.get(&path).query("limit", 15).query("include_total", "true").send().ok();
    assert_eq!((listed["items"].as_array().unwrap().len(), &listed["total"]), (15, &json!(20)));
    let rest = claiming.viewer.get(&path).query("cursor", text(&listed["next_cursor"])).send().ok();
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["items"][4]["name"]), (5, &json!("19.pdf")));
    assert_eq!(kept(&world).len(), 20);
}

#[test]
fn twenty_at_once_are_the_most_that_a_claim_gets() {
    let world = World::new();
    let claiming = Claiming::begun(&world);
    for n in 0..18 {
        claiming.send(PDF, "a.pdf", &pdf(&[&format!("{n}")])).ok();
    }
    let clients: Vec<Client> = (0..8).map(|_| world.viewer_of(&claiming.story.partner)).collect();
    let sent: Vec<u16> = std::thread::scope(|scope| {
        let claim = &claiming.claim;
        let send = |(n, client)| {
            scope.spawn(move || send(client, claim, PDF, "b.pdf", &pdf(&[&format!("{n}")])).status)
        };
        let threads: Vec<_> = (100..).zip(&clients).map(send).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(sent.iter().filter(|status| **status == 201).count(), 2, "{sent:?}");
    assert!(sent.iter().all(|status| [201, 409].contains(status)), "{sent:?}");
    assert_eq!((claiming.proofs().len(), kept(&world).len()), (20, 20));
}

#[test]
fn another_partner_s_people_neither_send_nor_see_proofs() {
    let world = World::new();
    let claiming = Claiming::begun(&world);
    let other = claiming.story.another(2);
    let proof = claiming.send(PDF, "a.pdf", &pdf(&[])).ok().id();
    let path = format!("/v1/coop-claims/{}/proofs", claiming.claim);
    for stranger in [world.viewer_of(&other.partner), world.admin_of(&other.partner)] {
        send(&stranger, &claiming.claim, PDF, "b.pdf", &pdf(&["2"])).refused(404, "not_found");
        stranger.get(&path).send().refused(404, "not_found");
        download(&stranger, &proof).refused(404, "not_found");
        stranger.delete(&format!("/v1/coop-proofs/{proof}")).send().refused(404, "not_found");
    }
    for staff in [world.operator(), world.auditor()] {
        send(&staff, &claiming.claim, PDF, "b.pdf", &pdf(&["2"])).refused(403, "forbidden");
        assert_eq!(staff.get(&path).send().ok()["items"][0]["id"], proof);
    }
    world.nobody().get(&format!("/v1/coop-proofs/{proof}/content")).send().refused(401, "unauthenticated");
    // A claim that is not written any more takes none, and gives none away.
    claiming.viewer.post(&format!("/v1/coop-claims/{}/cancellation", claiming.claim), json!({})).send().ok();
    assert_eq!(claiming.send(PDF, "b.pdf", &pdf(&["2"])).status, 409);
    assert_eq!(claiming.viewer.delete(&format!("/v1/coop-proofs/{proof}")).send().status, 409);
    assert_eq!(download(&claiming.viewer, &proof).status, 200);
}

/// The head of an upload over a bare socket.
fn upload(claiming: &Claiming<'_>, body: &str) -> TcpStream {
    let world = claiming.story.world;
    let me: Id = claiming.viewer.get("/v1/me").send().ok().id().parse().unwrap();
    let token = world.service.token_for(me).unwrap();
    let mut socket = TcpStream::connect(world.base.trim_start_matches("http://")).unwrap();
    let head = format!(
        "POST /v1/coop-claims/{}/proofs?kind=photo&name=a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: {PDF}\r\n{body}\r\n\r\n",
        claiming.claim
    );
    socket.write_all(head.as_bytes()).unwrap();
    socket
}

fn status(mut socket: TcpStream) -> String {
    let mut answer = vec![0; 12];
    socket.read_exact(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

#[test]
fn twenty_five_mebibytes_are_taken_and_one_byte_more_is_not() {
    let world = World::new();
    let claiming = Claiming::begun(&world);
    // The announcement is enough.
    let announced = upload(&claiming, &format!("Content-Length: {}", MOST + 1));
    assert_eq!(status(announced), "HTTP/1.1 413");
    let whole = |length: usize| {
        let padding = |count: usize| stream("", &vec![b'x'; count]);
        let bare = pdf_of(&[padding(10_000_000)], "").len() - 10_000_000;
        let mut file = pdf_of(&[padding(length - bare)], "");
        // The length of the padding and the places are written with the same number of digits.
        assert!(file.len().abs_diff(length) < 8, "{} for {length}", file.len());
        file.resize(length, b'\n');
        file
    };
    claiming.send(PDF, "large.pdf", &whole(MOST)).ok();
    for length in [MOST + 1, MOST + 100_000] {
        let mut socket = upload(&claiming, "Transfer-Encoding: chunked");
        let file = whole(length);
        for piece in file.chunks(1 << 20) {
            let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
            if socket.write_all(&chunk).is_err() {
                break;
            }
        }
        let _ = socket.write_all(b"0\r\n\r\n");
        assert_eq!(status(socket), "HTTP/1.1 413", "{length}");
    }
    assert_eq!((claiming.proofs().len(), kept(&world).len()), (1, 1));
}

#[test]
fn an_upload_that_was_cut_leaves_nothing() {
    let world = World::new();
    let claiming = Claiming::begun(&world);
    for body in ["Content-Length: 1000", "Transfer-Encoding: chunked"] {
        let mut socket = upload(&claiming, body);
        let piece = &pdf(&[])[..200];
        let chunk = format!("{:x}\r\n", piece.len());
        let chunk = if body.starts_with('T') { chunk.as_bytes() } else { b"" };
        socket.write_all(&[chunk, piece].concat()).unwrap();
    }
    // The viewer has two places for uploads, which are free again once the service knows that both sockets are closed.
    let sent = crate::support::wait_for("a place for an upload", || {
        let answer = claiming.send(PDF, "whole.pdf", &pdf(&[]));
        if answer.status == 429 { Err(answer.body.to_string()) } else { Ok(answer.ok().id()) }
    });
    crate::support::wait_for("the end of what was cut", || match kept(&world).len() {
        1 => Ok(()),
        files => Err(format!("{files} files")),
    });
    assert_eq!(claiming.proofs()[0]["id"], sent);
    assert_eq!(claiming.proofs().len(), 1);
}

#[test]
fn a_store_that_is_away_is_told_and_nothing_is_recorded() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let place = file.path().to_owned();
    let world = World::with(|settings| settings.proof_store = Some(StoreAddress::Folder(place)));
    let claiming = Claiming::begun(&world);
    let away = claiming.send(PDF, "a.pdf", &pdf(&[])).refused(503, "unavailable");
    assert_eq!(away.header("retry-after"), Some("5"));
    assert!(claiming.proofs().is_empty());
}

#[test]
fn a_file_that_was_changed_in_the_store_is_not_given_out_as_the_proof() {
    let world = World::new();
    let claiming = Claiming::begun(&world);
    let proof = claiming.send(PDF, "a.pdf", &pdf(&[])).ok().id();
    let path = kept(&world).pop().unwrap();
    std::fs::write(&path, pdf(&["something else"])).unwrap();
    download(&claiming.viewer, &proof).refused(500, "internal");
    std::fs::remove_file(&path).unwrap();
    download(&claiming.viewer, &proof).refused(500, "internal");
}

#[test]
fn verify_reads_every_file_again_and_says_which_one_is_another_or_gone() {
    let world = World::new();
    let claiming = Claiming::begun(&world);
    let made = claiming.send("image/png", "stand.png", &png(64, 48)).ok().id();
    let found = || {
        let findings = verify::run(&world.service.app, app::checks(), None).unwrap();
        findings.into_iter().find(|(check, _)| *check == "co-op proofs").unwrap().1
    };
    assert_eq!(found(), VerifyFinding::Sound("1 files read again".into()));
    let [file] = &kept(&world)[..] else { panic!("one file") };
    let begins = |difference: &str| match found() {
        VerifyFinding::Broken(words) => {
            let told = format!("the file of proof {made} {difference}, in ");
            assert!(words.starts_with(&told), "{words}");
        }
        sound @ VerifyFinding::Sound(_) => panic!("{sound:?}"),
    };
    // As long as before, with another last byte.
    let mut bytes = std::fs::read(file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(file, bytes).unwrap();
    begins("is not the one received");
    std::fs::remove_file(file).unwrap();
    begins("is missing");
}

#[test]
fn the_sweep_removes_what_was_broken_off_and_leaves_what_others_keep_in_the_store() {
    let world = World::new();
    let claiming = Claiming::begun(&world);
    claiming.send(PDF, "a.pdf", &pdf(&[])).ok();
    // The proof of another database that names the same store.
    let theirs =
        ObjectKey { folder: world.ids.next(world.clock.now()), id: world.ids.next(world.clock.now()) };
    world.service.app.objects().put(theirs, &b"theirs"[..], 100).unwrap();
    left_over(&world, &claiming.story.partner, world.clock.now());
    left_over(&world, &claiming.story.partner, world.clock.now());
    world.on("2019-02-21");
    sweep(&world);
    assert_eq!(kept(&world).len(), 4, "a day has not passed");
    world.on("2019-02-22");
    left_over(&world, &claiming.story.partner, world.clock.now());
    sweep(&world);
    assert_eq!(kept(&world).len(), 3);
    let free = Turn::take(&world.service.app, JobName::CoopProofSweep).unwrap();
    assert!(free.is_some(), "the turn was given back");
}
