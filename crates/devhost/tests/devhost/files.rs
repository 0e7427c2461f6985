use super::support::Application;

#[tokio::test]
async fn folders_are_mounted_read_only() {
    let served = Application::with_guest("files = [{ source = \"web\", destination = \"/site\" }]")
        .file("web/index.html", "page")
        .file("web/deep/er.txt", "below")
        .file("secret.txt", "hidden")
        .start()
        .await;
    assert_eq!(served.get("/file/site/index.html").await.text, "page");
    assert_eq!(served.get("/file/site/deep/er.txt").await.text, "below");
    assert_eq!(served.get("/file/secret.txt").await.status, 404);
    assert_eq!(served.get("/file/site/../../secret.txt").await.status, 404);
    assert_eq!(served.get("/write/site/new.txt").await.status, 403);
}

#[tokio::test]
async fn no_path_and_no_link_leads_out_of_a_folder() {
    let application = Application::with_guest("files = [{ source = \"web\", destination = \"/site\" }]")
        .file("web/index.html", "page")
        .file("secret.txt", "hidden");
    let web = application.folder.path().join("web");
    let link = |target: &str, name: &str| std::os::unix::fs::symlink(target, web.join(name)).unwrap();
    link("../secret.txt", "file");
    link("..", "folder");
    link("/etc/hostname", "absolute");
    link("index.html", "inside");
    let served = application.start().await;
    assert_eq!(served.get("/file/site/inside").await.text, "page");
    for path in [
        "site/file",
        "site/folder/secret.txt",
        "site/absolute",
        "site/..%2fsecret.txt",
        "site/%2e%2e/secret.txt",
        "site/..\\secret.txt",
        "site//../../secret.txt",
        "site/index.html%00",
        "site/../site/../secret.txt",
        "../../../../etc/passwd",
        "",
    ] {
        let answer = served.get(&format!("/file/{path}")).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn globs_show_matching_files_at_their_own_path() {
    let served = Application::with_guest(
        "files = [\"web/**/*.txt\", { source = \"one.md\", destination = \"/docs/two.md\" }]\n\
         exclude_files = [\"web/private/*\"]",
    )
    .file("web/a.txt", "a")
    .file("web/deep/b.txt", "b")
    .file("web/c.html", "c")
    .file("web/private/d.txt", "d")
    .file("one.md", "one")
    .start()
    .await;
    assert_eq!(served.get("/file/web/a.txt").await.text, "a");
    assert_eq!(served.get("/file/web/deep/b.txt").await.text, "b");
    assert_eq!(served.get("/file/docs/two.md").await.text, "one");
    assert_eq!(served.get("/file/web/c.html").await.status, 404);
    assert_eq!(served.get("/file/web/private/d.txt").await.status, 404);
    assert_eq!(served.get("/write/web/a.txt").await.status, 403);
}

#[tokio::test]
async fn an_absent_source_is_refused_by_name() {
    let refused = Application::with_guest("files = [{ source = \"wbe\", destination = \"/\" }]").refused().await;
    assert!(refused.contains("`guest`") && refused.contains("`wbe`"), "{refused}");
    let refused = Application::with_guest("files = [\"../*\"]").refused().await;
    assert!(refused.contains("`../*`"), "{refused}");
}
