"""The stories that a pull request waits for: what Lotus promises, and the tests on the real engine that hold it.

Every other engine test is `nightly`: a new one takes no time of a pull request until it is named here. A test with many
cases, such as the matrices of `test_hands` and `test_crashes`, says itself which of its cases are nightly all the same.
"""

from typing import Final

STORIES: Final[dict[str, tuple[str, ...]]] = {
    "a lake stands up, and goes whole": (
        "test_a_lake_stands_up.py::test_the_first_up_makes_three_connections_with_twelve_streams",
        "test_a_lake_stands_up.py::test_destroying_the_stack_leaves_nothing",
    ),
    "a lake of one's own stands up": ("test_own_lake.py::test_a_new_lake_stands_up_and_its_second_preview_is_empty",),
    "the oldest supported engine runs the lake, where it is built": (
        "test_supported_engines.py::test_the_oldest_engine_takes_the_lake_from_nothing_to_nothing",
    ),
    "nothing changes unless a file does": (
        "test_a_lake_stands_up.py::test_a_second_preview_changes_nothing_and_calls_nothing",
        "test_a_lake_stands_up.py::test_a_second_up_changes_nothing",
        "test_a_lake_stands_up.py::test_a_refresh_finds_nothing_to_change",
    ),
    "an edited file is one update in place that names the edit": (
        "test_a_lake_stands_up.py::test_a_removed_field_is_one_update_that_names_it",
        "test_a_lake_stands_up.py::test_an_added_field_is_one_update_and_keeps_the_sync_state",
    ),
    "mistakes stop a run before its first call": (
        "test_mistakes.py::test_a_preview_refuses_the_same_list_that_lotus_check_prints_and_calls_nothing",
        "test_state_guard.py::test_a_production_stack_on_a_local_backend_is_refused_before_any_call",
    ),
    "a remedy names commands and options that exist": (
        "test_remedies.py::test_every_command_of_the_engine_that_a_message_or_a_page_names_exists",
    ),
    "a missing credential is named with its remedy": (
        "test_refusals.py::test_without_credentials_for_the_state_drift_and_up_name_the_variables",
    ),
    "what exists is adopted or refused, never made twice": (
        "test_adoption.py::test_ticket_002_creates_whose_answers_are_lost_make_one_of_each",
        "test_adoption.py::test_a_resource_that_is_renamed_without_an_alias_keeps_its_object",
        "test_tickets.py::test_ticket_002_what_somebody_made_before_is_adopted_and_nothing_is_made_twice",
    ),
    "a delete or a replacement takes nothing that is still declared or used": (
        "test_hands.py::test_nothing_is_lost_when_objects_change_hands",
        "test_whose_object.py::test_asking_to_replace_what_is_unchanged_keeps_it_or_is_refused",
        "test_deleted_with.py::test_a_connection_outside_the_program_still_keeps_the_source",
        "test_landing_zone.py::test_destroying_is_refused_while_buckets_are_protected_and_never_takes_the_state",
        "test_destroy.py::test_a_refused_destroy_deletes_neither_connections_nor_keys",
        "test_protection.py::test_a_state_of_before_previews_empty_and_no_destroy_deletes_a_connection",
    ),
    "cursors survive a replacement, or the run is refused": (
        "test_cursors.py::test_another_source_is_read_from_the_last_cursor_on",
        "test_cursors.py::test_a_cursor_is_not_lost_unasked_and_a_broken_handover_is_finished",
    ),
    "a backfill token is one refresh of its stream": (
        "test_backfill.py::test_a_new_token_is_one_refresh_of_its_stream_and_a_refused_one_is_tried_again",
    ),
    "the schema is one that the engine binds": (
        "test_other_languages.py::test_the_engine_binds_the_schema_that_the_plugin_serves_without_a_warning",
    ),
    "a rotated secret is one update, and no secret is shown": (
        "test_secrets.py::test_a_rotated_secret_is_one_update_of_its_holder_that_shows_no_value",
        "test_secrets.py::test_a_secret_that_is_missing_fails_before_any_write",
        "test_no_secret_leaves.py::test_every_command_has_its_lines",
        "test_no_secret_leaves.py::test_no_secret_leaves_by_day",
    ),
    "an import of everything previews empty": (
        "test_import.py::test_an_import_of_everything_leaves_nothing_to_do",
        "test_import.py::test_a_mask_in_code_is_refused_before_anything_is_written",
    ),
    "drift is seen and repaired, or taken into the files": (
        "test_changes_behind_the_program.py::test_everything_that_someone_edited_is_seen_and_repaired",
        "test_changes_behind_the_program.py::test_what_someone_deleted_is_made_again",
        "test_drift.py::test_code_state_and_live_are_told_apart_and_a_patch_takes_over_what_was_edited",
    ),
    "one lake is promoted from stack to stack": (
        "test_stacks.py::test_one_lake_in_two_stacks_is_clean_in_both_and_a_source_is_promoted_by_its_file",
    ),
    "a run that was killed, interrupted or locked out is resumed": (
        "test_crashes.py::test_no_call_of_an_operation_is_left_out",
        "test_crashes.py::test_a_kill_at_any_call_ends_as_if_it_had_not_been",
        "test_crashes.py::test_where_nothing_is_adopted_a_kill_ends_the_same_once_its_refusal_is_followed",
        "test_interrupted.py::test_an_interrupted_up_finishes_what_runs_and_the_next_one_the_rest",
        "test_two_at_once.py::test_of_two_runs_one_is_refused_and_what_a_killed_one_leaves_is_removed",
        "test_language_host.py::test_ctrl_c_ends_cleanly_and_the_next_up_works",
    ),
    "a review says what happens to data, and the gate holds up what loses it": (
        "test_comment.py::test_a_real_preview_is_told_by_what_it_does_to_data",
        "test_tickets.py::test_todo_003_a_source_whose_folder_is_deleted_leaves_nothing_behind_and_its_destination_stays",
    ),
    "what was reviewed is applied, and never an older commit": (
        "test_deploy.py::test_what_was_reviewed_is_applied_and_nothing_once_the_files_or_airbyte_or_the_state_moved",
        "test_deploy.py::test_the_gate_is_judged_again_with_the_labels_and_acknowledgements_of_now",
        "test_deploy.py::test_ticket_001_a_fix_is_applied_in_its_own_run_and_no_older_commit_after_it",
        "test_lotus_up.py::test_many_new_objects_are_created_without_checkpoints_into_a_whole_compressed_state",
        "test_lotus_up.py::test_the_engines_exit_code_is_given_back",
        "test_lotus_up.py::test_a_missing_stack_or_engine_is_one_error",
    ),
    "an old lake, or one whose state is lost, migrates without a create": (
        "test_migrate.py::test_a_lake_whose_state_and_files_are_lost_comes_back_from_what_is_live",
        "test_migrate.py::test_a_terraform_state_of_the_old_lake_is_taken_over_with_its_stream_files",
        "test_migrate_everything.py::test_a_workspace_of_every_shape_is_taken_over_and_previews_empty",
    ),
    "a source that dlt reads is reviewed as one of Airbyte is": (
        "test_dlt_sources.py::test_a_source_of_dlt_is_reviewed_as_it_comes_changes_and_goes",
    ),
    "rows reach a mart by Airbyte, by dlt and by a warehouse": (
        "test_one_lake_three_ways.py::test_rows_reach_a_mart_by_airbyte_by_dlt_and_by_a_warehouse",
    ),
    "a sandbox goes from a stream file to a mart": (
        "test_sandbox.py::test_rows_of_a_real_connector_go_to_their_mart",
        "test_sandbox.py::test_a_damaged_note_of_the_twin_is_as_none",
        "test_sandbox.py::test_a_damaged_note_of_the_s3_server_is_as_none",
        "test_sandbox.py::test_a_twin_that_does_not_start_is_one_error_with_a_remedy",
        "test_sandbox.py::test_an_s3_server_that_does_not_start_is_one_error_with_a_remedy",
        "test_sandbox.py::test_a_second_command_waits_for_the_first",
        "test_sandbox.py::test_the_s3_server_refuses_a_wrong_key",
        "test_sandbox.py::test_the_official_aws_plugin_is_preferred_and_never_found_in_the_sandbox_itself",
        "test_sandbox.py::test_unknown_words_are_refused_with_the_usage",
    ),
    "connectors of one's own, tags and every setting of a connection are clean whatever changes": (
        "test_own_connectors.py::test_everything_is_set_changed_and_un_set_and_clean_each_time",
    ),
    "a landing zone is closed, encrypted and feeds the destination": (
        "test_landing_zone.py::test_buckets_are_as_safe_as_aws_makes_them_and_the_destination_takes_what_the_zone_has",
    ),
    "what goes wrong in a program is shown to its user": (
        "test_language_host.py::test_an_exception_is_shown_as_a_traceback_of_the_users_code_alone",
        "test_language_host.py::test_a_run_error_is_one_line",
    ),
}
BY_DAY: Final = frozenset(test for tests in STORIES.values() for test in tests)
