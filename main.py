from dify_plugin import DifyPluginEnv, Plugin

if __name__ == "__main__":
    # Dify's daemon sends nothing after it has given up on a call (600 s); every tool has its own deadline below that.
    Plugin(DifyPluginEnv(MAX_REQUEST_TIMEOUT=600)).run()
