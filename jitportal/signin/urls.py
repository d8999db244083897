"""The addresses of sign-in and sign-out, under our names and under those that allauth looks for."""

from django.urls import path, re_path

from jitportal.signin import local, step_up, views

urlpatterns = [
    path("sign-in/", views.sign_in, name="sign-in"),
    re_path(r"^sign-in/(?P<provider_id>entra)/login/$", views.begin, name="openid_connect_login"),
    re_path(r"^sign-in/(?P<provider_id>entra)/callback/$", views.callback, name="openid_connect_callback"),
    path("sign-in/local/<str:secret>/", local.page, name="sign-in-local"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("sign-out/everywhere/", views.sign_out_everywhere, name="sign-out-everywhere"),
    path("you/", views.you, name="you"),
    path("step-up/", step_up.page, name="step-up"),
    # Whatever else allauth might want to show is the sign-in page; its own views are routed nowhere.
    path("sign-in/", views.sign_in, name="account_login"),
    path("sign-in/", views.sign_in, name="account_inactive"),
    path("sign-in/", views.sign_in, name="account_signup"),
    path("sign-in/", views.sign_in, name="socialaccount_login_error"),
    path("sign-in/", views.sign_in, name="socialaccount_login_cancelled"),
    path("sign-in/", views.sign_in, name="socialaccount_signup"),
    path("sign-out/", views.sign_out, name="account_logout"),
]
