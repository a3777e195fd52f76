"""Queues and processes: what waits, who works, whether the servers answer."""

from __future__ import annotations

from apps.monitor.metrics.grafana.panels import (
    GREEN,
    HALF,
    RED,
    RIGHT,
    SIXTH,
    THIRD,
    WHOLE,
    Dashboard,
    Panel,
    query,
)

PAGE = Dashboard(
    "moondev-processes",
    "MoonDev: queues and processes",
    "What waits, who works, and whether the servers answer.",
    (
        Panel(
            "Sources away",
            query("count(moondev_source_up == 0) or vector(0)", "away"),
            "stat",
            width=SIXTH,
            steps=RIGHT,
        ),
        Panel(
            "Exporters silent",
            query('count(up{job="moondev"} == 0) or vector(0)', "silent"),
            "stat",
            width=SIXTH,
            steps=RIGHT,
        ),
        Panel(
            "Messages waiting", query("sum(max by (queue) (moondev_queue_messages))", "all queues"), "stat", width=SIXTH
        ),
        Panel(
            "Tasks failing",
            query('sum(rate(moondev_tasks_total{event="failed"}[5m])) or vector(0)', "a second"),
            "stat",
            "ops",
            SIXTH,
            steps=((0, GREEN), (0.001, RED)),
        ),
        Panel(
            "Notices waiting",
            query("sum(max by (channel) (moondev_outbox_waiting)) or vector(0)", "outbox"),
            "stat",
            width=SIXTH,
        ),
        Panel(
            "Alerts firing", query("sum(max by (severity) (moondev_alerts_firing))", "of our own"), "stat", width=SIXTH
        ),
        Panel("Queues", query("max by (queue) (moondev_queue_messages)", "{{queue}}"), width=HALF),
        Panel(
            "Oldest message at most",
            query("max by (queue) (moondev_queue_age_seconds)", "{{queue}}"),
            unit="s",
            width=HALF,
        ),
        Panel("Waited in the queue (99 %)", query("moondev:task_wait_seconds:p99", "{{queue}}"), unit="s", width=THIRD),
        Panel(
            "Tasks",
            query('sum by (task) (rate(moondev_tasks_total{event="started"}[1m]))', "{{task}}"),
            unit="ops",
            width=THIRD,
        ),
        Panel(
            "Tasks take (99 %)",
            query("histogram_quantile(0.99, sum by (task, le) (rate(moondev_task_seconds_bucket[5m])))", "{{task}}"),
            unit="s",
            width=THIRD,
        ),
        Panel(
            "Memory", query("sum by (process) (moondev_process_memory_bytes)", "{{process}}"), unit="bytes", width=HALF
        ),
        Panel(
            "Processor",
            query("sum by (process) (rate(moondev_process_cpu_seconds[1m]))", "{{process}}"),
            unit="percentunit",
            width=HALF,
            about="Share of one core.",
        ),
        Panel("Processes", query("sum by (process) (moondev_processes)", "{{process}}"), "table", width=THIRD),
        Panel("PostgreSQL sessions", query("max by (which) (moondev_database_sessions)", "{{which}}"), width=THIRD),
        Panel(
            "Redis memory", query("max by (which) (moondev_redis_memory_bytes)", "{{which}}"), unit="bytes", width=THIRD
        ),
        Panel(
            "The API answers within (99 %)",
            query("histogram_quantile(0.99, sum by (route, le) (rate(moondev_api_seconds_bucket[5m])))", "{{route}}"),
            unit="s",
            width=HALF,
        ),
        Panel(
            "The API's answers",
            query("sum by (status) (rate(moondev_api_seconds_count[1m]))", "{{status}}"),
            unit="ops",
            width=HALF,
        ),
        Panel(
            "A scrape's parts", query("max by (source) (moondev_source_seconds)", "{{source}}"), unit="s", width=WHOLE
        ),
    ),
)
