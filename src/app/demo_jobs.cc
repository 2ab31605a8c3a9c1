#include "app/demo_jobs.h"

#include <array>

namespace chronos::app {
namespace {

// Actions that do no harm where the demo is served: commands that say something and sleep.
constexpr std::array kJobs = {
    DemoJob{"Nightly database backup",
            R"("key":"nightly-backup","cron":"30 2 * * *","timezone":"Europe/Berlin",
"queue":"backups","priority":7,"tags":["db","critical"],"timeout":"1h",
"concurrency":{"key":"postgres","max":1},"retry":{"delay":"5m"},"max_attempts":3,
"action":{"kind":"command","argv":["sh","-c","echo dumping; sleep 20; echo 48.2 GiB written"]})",
            1400, 60,
            "dumping orders … 31.7 GiB\ndumping customers … 9.1 GiB\ndumping events … 7.4 GiB\n"
            "48.2 GiB written to s3://backups/nightly\nverified: checksum matches\n",
            "dumping orders … 31.7 GiB\ndumping customers …\n"
            "pg_dump: error: connection to server was lost\n"},
    DemoJob{"Export orders to the warehouse",
            R"("key":"export-orders","cron":"*/15 * * * *","queue":"exports",
"tags":["warehouse","db"],
"concurrency":{"key":"postgres","max":2},"max_attempts":2,"retry":{"delay":"1m"},"jitter":"20s",
"action":{"kind":"command","argv":["sh","-c","sleep 4; echo exported 1,204 rows"]})",
            40, 12, "exporting since the last watermark\nexported 1,204 rows in 3 files\n",
            "exporting since the last watermark\nwarehouse: 503 Service Unavailable\n"},
    DemoJob{
        "Send invoice e-mails",
        R"("key":"send-invoices","cron":"0 7 * * MON-FRI","timezone":"Europe/Berlin","queue":"mail",
"calendars":["holidays"],"tags":["billing"],"rate":{"key":"smtp","max":20,"per":"1m"},
"action":{"kind":"command","argv":["sh","-c","sleep 6; echo 182 invoices sent"]})",
        95, 25, "182 invoices sent, 0 bounced\n", "smtp: 421 too many connections\n"},
    DemoJob{"Refresh search index",
            R"("key":"search-index","every":"10m","queue":"default","tags":["search"],
"overlap":"skip","action":{"kind":"command","argv":["sh","-c","sleep 3; echo indexed"]})",
            260, 8, "indexed 5,310 documents, removed 41\n", "index is locked by another writer\n"},
    DemoJob{"Health of partner API",
            R"("key":"partner-health","every":"5m","queue":"default","tags":["partner"],
"max_attempts":1,
"action":{"kind":"command","argv":["sh","-c","sleep 1; echo 200 OK in 84 ms"]})",
            2, 55, "200 OK in 84 ms\n", "curl: (28) operation timed out after 10000 ms\n"},
    DemoJob{"Import exchange rates",
            R"("key":"exchange-rates","cron":"5 8-18 * * MON-FRI","timezone":"Europe/Berlin",
"calendars":["holidays"],"queue":"default","tags":["billing"],
"action":{"kind":"command","argv":["sh","-c","sleep 1; echo 32 rates"]})",
            6, 20, "32 rates as of the ECB fixing\n", "unexpected content type: text/html\n"},
    DemoJob{"Resize uploaded images",
            R"("key":"resize-images","every":"3m","queue":"media","tags":["media"],
"concurrency":{"key":"gpu","max":2},"action":{"kind":"worker"},"payload":{"bucket":"uploads"})",
            70, 15, "resized 17 images, 4 variants each\n", "broken image: not a JPEG file\n"},
    DemoJob{"Transcode videos",
            R"("key":"transcode","cron":"20 * * * *","queue":"media","tags":["media"],
"concurrency":{"key":"gpu","max":2},"timeout":"2h","action":{"kind":"worker"})",
            2100, 40, "transcoded 3 videos to 1080p and 720p\n",
            "ffmpeg: invalid data found when processing input\n"},
    DemoJob{
        "Monthly report",
        R"("key":"monthly-report","cron":"0 6 1 * *","timezone":"Europe/Berlin","queue":"reports",
"tags":["finance"],"timeout":"2h",
"action":{"kind":"command","argv":["sh","-c","sleep 15; echo report.pdf"]})",
        1800, 0, "report for the month: report.pdf, 42 pages\n"},
    DemoJob{"Weekly cleanup of old sessions",
            R"("key":"cleanup-sessions","cron":"0 4 * * SUN","queue":"maintenance","tags":["db"],
"action":{"kind":"command","argv":["sh","-c","sleep 5; echo removed 91,044 sessions"]})",
            160, 100, "removed 91,044 sessions\n",
            "ERROR: canceling statement due to lock timeout\n"},
    DemoJob{"Rotate logs",
            R"("key":"rotate-logs","cron":"0 0 * * *","queue":"maintenance",
"misfire":{"policy":"skip"},
"action":{"kind":"command","argv":["sh","-c","echo rotated 14 files"]})",
            3, 0, "rotated 14 files, compressed 2.1 GiB\n"},
    DemoJob{"Train recommendations",
            R"("key":"train-recommendations","cron":"0 1 * * *","queue":"reports","tags":["ml"],
"timeout":"30m","max_attempts":2,"retry":{"delay":"10m"},
"action":{"kind":"command","argv":["sh","-c","sleep 25; echo epoch 12: loss 0.184"]})",
            1500, 180, "epoch 10: loss 0.191\nepoch 11: loss 0.187\nepoch 12: loss 0.184\n",
            "epoch 3: loss nan\nstopping: the loss is not a number\n"},
    DemoJob{
        "Sync customers to the CRM",
        R"("key":"crm-sync","cron":"*/20 * * * *","queue":"exports","tags":["partner","warehouse"],
"rate":{"key":"crm","max":30,"per":"1h"},
"action":{"kind":"command","argv":["sh","-c","sleep 2; echo 63 customers updated"]})",
        22, 30, "63 customers updated, 2 created\n", "crm: 429 Too Many Requests\n"},
    DemoJob{"Check TLS certificates",
            R"("key":"tls-check","cron":"15 9 * * *","queue":"default","tags":["critical"],
"action":{"kind":"command","argv":["sh","-c","echo all certificates are valid for 21 days"]})",
            5, 10, "all certificates are valid for 21 days or more\n",
            "api.example.com expires in 6 days\n"},
    DemoJob{"Warm caches after deploy",
            R"("key":"warm-caches","cron":"40 11 * * TUE,THU","queue":"default",
"action":{"kind":"command","argv":["sh","-c","sleep 2; echo warmed"]})",
            45, 0, "warmed 380 pages\n"},
    DemoJob{"Business hours digest",
            R"("key":"digest","cron":"0 9-17 * * *","timezone":"Europe/Berlin","queue":"mail",
"calendars":["office-hours"],"tags":["billing"],
"action":{"kind":"command","argv":["sh","-c","sleep 1; echo digest sent to 12 people"]})",
            8, 5, "digest sent to 12 people\n", "smtp: 450 mailbox unavailable\n"},
};

constexpr std::array kCalendars = {
    DemoCalendar{"holidays",
                 R"({"kind":"blackout","timezone":"Europe/Berlin","note":"public holidays",
"dates":["01-01","05-01","10-03","12-24/12-26","12-31"],
"weekly":[{"days":["SAT","SUN"]}]})"},
    DemoCalendar{"office-hours",
                 R"({"kind":"business","timezone":"Europe/Berlin","note":"when people are there",
"weekly":[{"days":["MON-FRI"],"from":"08:00","to":"18:00"}]})"},
};

}  // namespace

std::span<const DemoJob> demo_jobs() {
  return kJobs;
}

std::span<const DemoCalendar> demo_calendars() {
  return kCalendars;
}

}  // namespace chronos::app
