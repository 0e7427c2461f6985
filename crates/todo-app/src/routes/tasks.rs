//! The routes of the component `tasks`.

use ::http::Method;

use crate::http::router::Route;

/// What the component does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Makes a task.
    CreateTask,
    /// Gives a page of the list.
    ListTasks,
    /// Finds tasks by text and properties.
    SearchTasks,
    /// Gives one task.
    GetTask,
    /// Changes some fields of a task.
    UpdateTask,
    /// Completes a task.
    CompleteTask,
    /// Makes a completed task pending again.
    ReopenTask,
    /// Puts a task into the trash.
    DeleteTask,
    /// Changes, completes or deletes many tasks.
    ChangeTasks,
    /// Makes a task from a line of text.
    QuickAddTask,
    /// Gives a page of the trash.
    ListTrash,
    /// Takes a task out of the trash.
    RestoreTask,
    /// Removes a task of the trash for good.
    PurgeTask,
    /// Removes every task of the trash for good.
    EmptyTrash,
    /// Counts the tasks of each tag.
    ListTags,
    /// Says whether the service can serve.
    GetHealth,
}

/// Its paths and methods.
pub const ROUTES: &[Route<Operation>] = &[
    Route::new(Method::POST, "/api/tasks", Operation::CreateTask),
    Route::new(Method::GET, "/api/tasks", Operation::ListTasks),
    Route::new(Method::GET, "/api/tasks/search", Operation::SearchTasks),
    Route::new(Method::POST, "/api/tasks/bulk", Operation::ChangeTasks),
    Route::new(Method::POST, "/api/tasks/quick", Operation::QuickAddTask),
    Route::new(Method::GET, "/api/tasks/{id}", Operation::GetTask),
    Route::new(Method::PUT, "/api/tasks/{id}", Operation::UpdateTask),
    Route::new(Method::PATCH, "/api/tasks/{id}", Operation::UpdateTask),
    Route::new(Method::DELETE, "/api/tasks/{id}", Operation::DeleteTask),
    Route::new(Method::PATCH, "/api/tasks/{id}/complete", Operation::CompleteTask),
    Route::new(Method::POST, "/api/tasks/{id}/reopen", Operation::ReopenTask),
    Route::new(Method::POST, "/api/tasks/{id}/restore", Operation::RestoreTask),
    Route::new(Method::GET, "/api/trash", Operation::ListTrash),
    Route::new(Method::DELETE, "/api/trash", Operation::EmptyTrash),
    Route::new(Method::DELETE, "/api/trash/{id}", Operation::PurgeTask),
    Route::new(Method::GET, "/api/tags", Operation::ListTags),
    Route::new(Method::GET, "/api/health", Operation::GetHealth),
    Route::new(Method::GET, "/health", Operation::GetHealth),
];
